"""What `/alerts` is asked, sent and answers."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.config.schema.access import Moment
from tidegate.config.schema.alerts import Match
from tidegate.config.schema.base import Name
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked, Limit
from tidegate.control.admin.views.sent import Body

Severity = Literal["warning", "critical"]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]


class AlertsQuery(Asked):
    """Which alerts."""

    rule: Name | None = None
    severity: Severity | None = None
    pending: bool = Field(False, description="Also those that are beyond a threshold not yet for long enough.")
    limit: Limit = 1_000


class HistoryQuery(Asked):
    """Which changes."""

    alert: Id | None = None
    rule: Name | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 100


class NoticesQuery(Asked):
    """Which messages."""

    channel: Name | None = None
    limit: Limit = 100


class NewSilence(Body):
    """What is not told, and for how long."""

    match: Annotated[Match, Field(min_length=1, max_length=8)] = Field(
        description="Labels, and `rule`; `*` at the end stands for any rest.", examples=[{"rule": "limited_seconds"}]
    )
    minutes: Annotated[int, Field(ge=1, le=525_600)] = Field(description="For so long, from now on.", examples=[60])
    why: Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field("", description="For others.")


class AlertView(View):
    """One alert. Moments are RFC 3339 in UTC."""

    id: str
    rule: str
    metric: str
    labels: dict[str, str]
    stage: str = Field(description="pending, firing, clearing or resolved.")
    severity: str
    value: float = Field(description="Of the last half minute.")
    unit: str
    threshold: float
    since: str = Field(description="Beyond its threshold since then.")
    fired: str | None = None
    taken: str | None = None
    taken_by: str | None = None
    silenced: bool = False


class AlertEventView(View):
    """What became of an alert."""

    at: str
    alert: str
    change: str
    rule: str
    severity: str
    labels: dict[str, str]
    value: float
    threshold: float
    by: str | None = None


class AlertPage(View):
    """One alert and what became of it, the newest first; of one that is over only that."""

    alert: AlertView | None = None
    events: list[AlertEventView]


class NoticeView(View):
    """One message to one channel."""

    id: str
    channel: str
    at: str
    state: str
    severity: str
    alerts: int
    rules: list[str]
    stage: str = Field(description="waiting, claimed, sent or failed.")
    tries: int
    done: str | None = None
    repeated: bool = Field(description="Who had claimed it died: it may have been told twice.")
    problem: str = ""


class RuleView(View):
    """One rule in force."""

    name: str
    metric: str
    unit: str
    warning: float | None = None
    critical: float | None = None
    below: bool
    match: dict[str, str]
    for_seconds: float
    clear_percent: float
    clear_seconds: float
    enabled: bool


class ChannelView(View):
    """One channel; neither its address nor its secret. Figures are those of this node since it was started."""

    name: str
    kind: str
    language: str
    sent: int = 0
    failed: int = 0
    retried: int = 0
    repeated: int = 0
    waiting: int = 0


class TestedView(View):
    """What became of a test message."""

    channel: str
    sent: bool
    problem: str = ""


class SilenceView(View):
    """What is not told until then."""

    id: str | None = None
    match: dict[str, str]
    since: str
    until: str
    why: str
    by: str | None = None
    declared: Literal["file", "managed"]
