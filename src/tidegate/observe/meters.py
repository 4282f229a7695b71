"""The counters of a worker as they travel: msgpack-array structs.

Those of calls are kept as `counts.CallCount` until a report is due; the others, added to less often, are incremented
in place. All counters are cumulative since the worker started, so that a lost report loses nothing.
"""

import msgspec

from tidegate.model.belief import Belief
from tidegate.model.outcome import Reason

BOUNDS_US = (
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000, 120_000_000,
)  # fmt: skip
REASONS = tuple(reason.name.lower() for reason in Reason)  # the index is `Reason.value - 1`
OTHER = "other"
FALLBACK = "fallback"  # an attempt failed, and the next target was tried
MOVED = "moved"  # a call was answered by another target than its plan's first


def _buckets() -> list[int]:
    return [0] * (len(BOUNDS_US) + 1)


class Histogram(msgspec.Struct, array_like=True):
    """Durations in the fixed buckets of `BOUNDS_US`; the last one is everything longer."""

    counts: list[int] = msgspec.field(default_factory=_buckets)
    total_us: int = 0


class CallMeter(msgspec.Struct, array_like=True):
    """Calls of one plan that one target answered (or nobody: then provider and scope are empty)."""

    plan: str
    model: str
    provider: str
    scope: str
    by_class: list[int] = msgspec.field(default_factory=lambda: [0] * 6)  # by first digit of the status; 0 = lost
    streamed: int = 0
    estimated: int = 0
    retried: int = 0  # attempts beyond each call's first
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    charged_tokens: int = 0
    queued: Histogram = msgspec.field(default_factory=Histogram)  # waits for quota or a retry; not those of 0
    first_byte: Histogram = msgspec.field(default_factory=Histogram)
    duration: Histogram = msgspec.field(default_factory=Histogram)


class LaneMeter(msgspec.Struct, array_like=True):
    """Attempts on one lane. `failed` counts by `REASONS`; its `rate` is the provider's 429s."""

    lane: str  # provider/scope/model
    answered: int = 0
    failed: list[int] = msgspec.field(default_factory=lambda: [0] * len(REASONS))


class LaneGauge(msgspec.Struct, array_like=True):
    """How one lane stands at this moment. -1 = no such limit."""

    lane: str  # provider/scope/model
    level_tokens: int  # what the mirror of the provider's quota holds now
    limit_tokens: int
    level_requests: int
    limit_requests: int
    open: bool = True  # False: refused lately, closed but for a probe
    requests: Belief = Belief()
    tokens: Belief = Belief()
    charged_requests: int = 0  # ever
    charged_tokens: int = 0  # ever: what was reserved, put right by what the provider counted
    wait_us: int = 0  # until its breaker lets a call pass, if only as a probe
    keys_dead: int = 0  # of its scope, that the provider refuses
    calls: int = 0  # in flight
    reserved: int = 0  # their tokens, among those charged
    used_tokens: int = -1  # of the limit, as the mirror counts: what a bucket lacks, what a window holds; -1 = unknown
    used_requests: int = -1


class PoolGauge(msgspec.Struct, array_like=True):
    """How one pool's queue for one model stands at this moment."""

    pool: str
    model: str
    waiting: dict[str, int]  # calls by tier
    oldest_us: int  # for how long the one who waits longest has waited
    appointments: int  # places kept for calls that were refused with a time
    left: int = 0  # calls ever that were let through, at once or later, or gave up
    waited_us: int = 0  # how long they had waited, together
    refused: int = 0  # calls ever that were told a time
    waiting_us: int = 0  # how long those who wait have waited so far, together
    waits: dict[str, dict[int, int]] = {}  # ever, by tier: how many calls that had to wait left in which `wait_slot`


class ScopeMeter(msgspec.Struct, array_like=True):
    """What became of one scope's keys."""

    scope: str  # provider/scope
    retired: int = 0
    restored: int = 0


class KeyGauge(msgspec.Struct, array_like=True):
    """How one key of a scope stands: good, dead (refused), cooling (refused, and being tried again), drained."""

    fingerprint: str
    state: str
    again_us: int = 0  # until it is tried again


class AccountGauge(msgspec.Struct, array_like=True):
    """How one scope stands, whatever the model."""

    provider: str
    scope: str
    drained: bool
    keys: list[KeyGauge] = []
    in_flight: int = 0
    pause_us: int = 0  # until its provider may be asked again with it


class ProviderMeter(msgspec.Struct, array_like=True):
    """What one provider said that nobody expected."""

    provider: str
    unexplained: int = 0  # refusals that no row of its profile explains


class JournalMeter(msgspec.Struct, array_like=True):
    """What could not be written into the worker's journal, and what became of bodies that were to be kept."""

    failing: bool = False
    failures: int = 0
    kept: int = 0  # records that wait for the disk now
    dropped: int = 0  # records that nobody has
    unwritten_intents: int = 0
    deleted_unread: int = 0  # segments that went before they were in the database
    kept_bodies: int = 0
    dropped_bodies: int = 0


class AnswersMeter(msgspec.Struct, array_like=True):
    """What one layer of the cache did, and how it stands. -1 entries or bytes: it does not tell."""

    layer: str  # memory | disk | redis
    gets: int = 0
    hits: int = 0
    errors: int = 0  # `timeouts` are among them
    timeouts: int = 0
    corrupt: int = 0
    writes: int = 0
    dropped: int = 0  # writes that were not tried
    evicted: int = 0  # answers that had to make room
    entries: int = -1
    bytes: int = -1
    up: bool = True  # False: left alone for a while, because it failed


class SemanticMeter(msgspec.Struct, array_like=True):
    """What became of the questions that a worker had compared."""

    outcomes: dict[str, int] = {}  # served, shadow, late, away, or the gate that refused: a dozen words
    explored: int = 0  # went to the model, and both answers were compared
    dropped: int = 0  # what the process was to be told and was not


class ClusterMeter(msgspec.Struct, array_like=True):
    """How a worker stands to the state that it shares with others, and what its exchanges came to."""

    mode: str  # joining | shared | local | closed | open
    members: int  # that could be heard when it last heard, this one included
    share_ppm: int  # of each limit, when it hears nothing any more
    funds: int
    exchanges: int = 0
    failures: int = 0  # without an answer
    late: int = 0  # that did nothing, since they came too late
    lost: int = 0  # answered by a fund that had to be put back
    beats: int = 0
    beats_failed: int = 0
    changes: int = 0  # of the mode
    commands: int = 0  # sent to the servers, whatever for
    latency: Histogram = msgspec.field(default_factory=Histogram)  # of exchanges that were answered


class SpendGauge(msgspec.Struct, array_like=True):
    """How one limit of a namespace, user, key, or a model of a namespace stands; "" where it is none's own.

    `period` names the limit as `entitlements.Allowance` does, with its unit: money is in billionths. `reserved` is what
    calls in flight hold beside what was `used`.
    """

    namespace: str
    user: str
    key: str
    model: str
    period: str  # rpm | tpm | concurrent | tokens_day | nano_day | nano_month
    used: int
    reserved: int
    limit: int
    told: int = 0  # used by all workers together, as far as this one was told


class Tally(msgspec.Struct, array_like=True):
    """A plan's events: `what` is a refusal's kind, or `FALLBACK`, or `MOVED`; tier: of a call that was refused."""

    plan: str
    what: str
    count: int = 0
    tier: str = ""


class Report(msgspec.Struct, array_like=True):
    """What a worker sends once a second, in one or several parts; `last` ends a round and carries the gauges."""

    worker: int
    incarnation: int  # wall µs of the worker's start: a new one began its counters at 0
    pid: int
    last: bool
    calls: list[CallMeter] = []
    lanes: list[LaneMeter] = []
    tallies: list[Tally] = []
    gauges: list[LaneGauge] = []
    pools: list[PoolGauge] = []
    scopes: list[ScopeMeter] = []
    token_usage_rate: dict[str, float] = {}  # by model, tokens a second over the last minute
    providers: list[ProviderMeter] = []
    journal: JournalMeter = msgspec.field(default_factory=JournalMeter)
    spends: list[SpendGauge] = []  # of keys that were used, 1,000 at most; namespaces first
    answers: list[AnswersMeter] = []  # of each layer of the cache, memory first
    semantic: SemanticMeter | None = None  # None: it has nothing compared
    cluster: ClusterMeter | None = None  # None: it shares nothing
    accounts: list[AccountGauge] = []
