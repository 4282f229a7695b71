"""What the admin API is asked and answers about use against quota over time, and when quotas will be exhausted."""

from typing import Literal

from pydantic import Field

from tidegate.config.schema.access import Moment
from tidegate.config.schema.base import ModelName, Name
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked, Zone

Unit = Literal["minute", "hour", "day"]


class SeriesAsked(Asked):
    """Which time, in which steps, of which quotas."""

    by: Unit = Field("minute", description="The step. Minutes are kept for `ledger.keep_minutes_days`.")
    since: Moment | None = Field(None, description="Left out: an hour, a day or 30 days before `until`, by the step.")
    until: Moment | None = Field(None, description="Left out: now.")
    zone: Zone = Field("UTC", description="Of days, for example Asia/Shanghai.")
    output: Literal["json", "csv"] = "json"
    provider: Name | None = None
    scope: Name | None = None
    model: ModelName | None = None


class OutlookAsked(Asked):
    """Of which quotas."""

    provider: Name | None = None
    scope: Name | None = None
    model: ModelName | None = None


class UsagePoint(View):
    """One quota in one step. Attempts count when they left, calls when they ended."""

    at: str = Field(description="When the step began, in UTC.")
    provider: str = Field(description="Empty: no provider was asked.")
    scope: str
    model: str = Field(description="Where no provider was asked: the strategy or model that was asked for.")
    calls: int
    errors: int
    attempts: int
    throttled: int = Field(description="429s of the provider.")
    refused: int = Field(description="Refused by the gate, which asked nobody.")
    queued_seconds: float = Field(description="What calls waited for quota, together.")
    prompt_tokens: int
    completion_tokens: int
    charged_tokens: int = Field(description="By the provider's limiter.")
    reserved_tokens: int = Field(description="Before attempts left.")
    tpm: int | None = Field(None, description="The limit that was in force at its end, tokens a minute.")
    rpm: int | None = Field(None, description="Likewise requests a minute.")
    limit_source: str | None = Field(None, description="configured, headers or refusals.")
    quota_tokens: int | None = Field(None, description="That the limits allowed in the step, until now.")
    quota_requests: int | None = None
    used_of_tokens: float | None = Field(None, description="Charged of allowed.")
    used_of_requests: float | None = Field(None, description="Attempts of allowed.")


class UsageSeries(View):
    """In order of time; a step in which a quota was not used is left out."""

    by: Unit
    since: str
    until: str
    points: list[UsagePoint]


class OutlookView(View):
    """One quota and unit. What is left out is not within its horizon: an hour for `soon`, else seven days."""

    provider: str
    scope: str
    model: str
    unit: Literal["tokens", "requests"]
    limit: int = Field(description="A minute.")
    limit_source: str | None = Field(None, description="configured, headers or refusals.")
    rate: float = Field(description="A minute, over the last five.")
    method: str = Field(description="hour of the week, hour of the day, trend; empty: no hour is over yet.")
    history_hours: int
    exhausted_in_seconds: float | None = Field(None, description="The sooner of `soon` and `expected`.")
    soon_in_seconds: float | None = Field(None, description="By the line of the last five minutes.")
    expected_in_seconds: float | None = Field(None, description="The first minute that is expected to need 95 % of it.")
    expected_at: str | None = None
    likely_in_seconds: float | None = Field(None, description="The first that one minute of ten exceeds.")
    likely_at: str | None = None
    peak: float = Field(description="The highest minute that is expected in seven days.")
    peak_at: str
