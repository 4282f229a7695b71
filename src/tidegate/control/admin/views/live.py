"""What `/live` shows, for the description of the API: `observe/live.py` is what is sent."""

from pydantic import Field

from tidegate.control.admin.views.directory import View


class LiveQuotaView(View):
    """One dimension of a lane's quota, a minute."""

    used: int = Field(description="Of the limit, and settled: what a bucket lacks, what a window holds.")
    reserved: int = Field(description="Charged by calls in flight.")
    limit: int | None
    learned: int | None = Field(description="The limit that the provider's refusals taught.")
    everywhere: int | None = Field(None, description="Used by all workers together, where they share their state.")


class LiveLaneView(View):
    """One model in one scope."""

    provider: str
    scope: str
    model: str
    requests: LiveQuotaView
    tokens: LiveQuotaView
    throttled_minute: int
    in_flight: int
    closed_since: str | None = None
    limited_since: str | None = None
    drained: bool = False


class LiveQueueView(View):
    """One tier in one pool's queue for one model; the waits are those of the last minute's who had to wait."""

    pool: str
    tier: str
    model: str
    waiting: int
    wait_p50_ms: int
    wait_p99_ms: int


class LiveCallsView(View):
    """All calls of the node."""

    per_second: float
    in_flight: int
    error_permille: int
    refused_per_minute: int
    moved_per_minute: int


class LiveWorkersView(View):
    """How many serve, of those that should."""

    ready: int
    of: int


class LiveCacheView(View):
    """The cache in the last minute."""

    asked_minute: int
    hits_minute: int


class LiveJobsView(View):
    """Jobs by how they stand."""

    waiting: int
    running: int
    dead: int


class LiveAlertView(View):
    """One that is on."""

    id: str
    rule: str
    severity: str
    since: str
    subject: str


class SentenceView(View):
    """What is happening now: a code, and what to put into its words."""

    code: str
    values: dict[str, str | int | float]


class LiveView(View):
    """How this node does now."""

    at: str
    node: str
    ready: bool
    draining: bool
    version: int
    workers: LiveWorkersView
    lanes: list[LiveLaneView] = Field(description="At most 200: the closed, the limited, then the fullest first.")
    lanes_hidden: int
    queues: list[LiveQueueView]
    calls: LiveCallsView
    cache: LiveCacheView
    spend_today: str = Field(description="Since midnight UTC, by the hours in the ledger.")
    currency: str
    alerts: list[LiveAlertView]
    sentence: SentenceView
    database_away: bool
    clustered: bool = Field(description="Other nodes share quotas with this one; what is shown is this one's.")
    jobs: LiveJobsView | None = None


class LanePoints(View):
    """What was charged in the minute before each moment."""

    tokens: list[int]
    requests: list[int]
    reserved: list[int] = Field(description="Of the tokens, those of calls in flight.")


class PointsView(View):
    """Curves; every list is as long as `at`."""

    at: list[str]
    lanes: dict[str, LanePoints] = Field(description="By provider/scope/model.")
    totals: dict[str, list[float]]
    hidden: int = Field(description="Lanes that are not among them.")


class RecentView(View):
    """The last seconds."""

    step_s: int
    points: PointsView
