"""What the admin API answers about spend, calls and the gate itself."""

from pydantic import Field

from tidegate.control.admin.views.directory import View


class SpendLine(View):
    """One group. Tokens are as billed; what providers' limiters were charged, and what was reserved, stand apart."""

    namespace: str | None = None
    user: str | None = None
    key: str | None = None
    plan: str | None = Field(None, description="The strategy or model that was asked for.")
    model: str | None = Field(None, description="The model that served.")
    provider: str | None = None
    scope: str | None = None
    tag: str | None = None
    hour: str | None = None
    day: str | None = None
    month: str | None = None
    calls: int
    errors: int
    attempts: int
    estimated_attempts: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    written_tokens: int
    charged_tokens: int
    reserved_tokens: int
    cost: str = Field(description="In the house currency, exact.")
    used_of_reserved: float | None = Field(None, description="Tokens billed of tokens reserved.")
    cache_hits: int | None = Field(
        None, description="Calls that the cache answered; they are not among `calls`. Not told by scope or tag."
    )
    saved: str | None = Field(None, description="What their answers had cost when they were made.")


class SpendReport(View):
    """A report. Lines by tag may add up to more than the total: a call with two tags stands under both."""

    currency: str
    lines: list[SpendLine]
    total: SpendLine


class MonthView(View):
    """A month's cost so far and at its end; four months of five end between `low` and `high`."""

    currency: str
    month: str
    spent: str
    expected: str
    low: str
    high: str
    history_hours: int = Field(description="From how much it is known; 0 = nothing is.")


class UtilisationView(View):
    """How much of what was reserved, and of what the quota allows, was used; empty names = all together."""

    provider: str
    scope: str
    model: str
    used_tokens: int
    charged_tokens: int
    reserved_tokens: int
    quota_tokens: int | None = Field(None, description="What the limits of the file allow in that time.")
    used_of_reserved: float | None = None
    used_of_quota: float | None = None


class BoundView(View):
    """What is used of a bound; without `limit` there is none."""

    used: str
    limit: str | None = None


class UseView(View):
    """A namespace, user or key: bounds a minute as they are set, those of day and month with what is used."""

    kind: str
    name: str
    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    tokens_today: BoundView
    money_today: BoundView
    money_month: BoundView


class WorkerLine(View):
    """A worker, as the supervisor sees it."""

    number: int
    namespace: str
    ready: bool
    port: int
    restarts: int
    trouble: str


class JournalLine(View):
    """How far a worker's journal is in the database."""

    name: str
    lag_bytes: int
    taken_calls: int
    damaged_records: int
    missed_segments: int


class StatusView(View):
    """How the gate stands."""

    version: str
    ready: bool
    draining: bool
    configuration: int = Field(description="Which load of the file is in force.")
    restarts: int
    warnings: list[str] = Field(description="Of the configuration.")
    workers: list[WorkerLine]
    database: str = Field(description="sqlite or postgresql.")
    ledger_up: bool
    ledger_problem: str = ""
    ledger_alarm: bool
    journals: list[JournalLine]
    directory_behind: bool = Field(description="The workers may not know the newest changes yet.")
    hidden: list[str] = Field(description="Managed records whose names the file declares too: the file's count.")
    keys: int = Field(description="Managed and not revoked.")
