"""How the node does at this second, as whoever looks on is shown it. Pure: from what others keep.

Limits are a minute's. `used` is settled, `reserved` is of calls in flight: together they are what the last minute took
of the limit, or what is in use of it now as its provider counts (what a bucket lacks, what a window holds), whichever
is more. Where there is no limit it is what was charged in the last minute. Moments are RFC 3339 in UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tidegate.model.standing import LaneSums, NodeStanding
from tidegate.observe.meters import AnswersMeter, ClusterMeter, LaneGauge, PoolGauge
from tidegate.observe.queue_waits import QueueKey

MOST_LANES: Final = 200
MOST_QUEUES: Final = 200
MOST_ALERTS: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHARED: Final = "shared"
_Gauge = tuple[LaneGauge, bool]  # and whether its worker shares its state


class LiveQuota(msgspec.Struct, omit_defaults=True, gc=False):
    """One dimension of a lane's quota. `everywhere`: what all workers have used of it, where they share their state."""

    used: int
    reserved: int
    limit: int | None
    learned: int | None
    everywhere: int | None = None


class LiveLane(msgspec.Struct, omit_defaults=True, gc=False):
    """One model in one scope."""

    provider: str
    scope: str
    model: str
    requests: LiveQuota
    tokens: LiveQuota
    throttled_minute: int
    in_flight: int
    closed_since: str | None = None
    limited_since: str | None = None
    drained: bool = False

    @property
    def permille(self) -> int:
        """How much of its fuller limit is charged."""
        return max(_permille(self.tokens), _permille(self.requests))


class LiveQueue(msgspec.Struct, gc=False):
    """Those of one tier in one pool's queue for one model; the waits are of the last minute's who had to wait."""

    pool: str
    tier: str
    model: str
    waiting: int
    wait_p50_ms: int
    wait_p99_ms: int


class LiveCalls(msgspec.Struct, gc=False):
    """All calls of the node. `per_second` is the mean of ten seconds, the rest of the last minute."""

    per_second: float
    in_flight: int
    error_permille: int
    refused_per_minute: int
    moved_per_minute: int


class LiveCache(msgspec.Struct, gc=False):
    """What the cache was asked for in the last minute, and had."""

    asked_minute: int
    hits_minute: int


class LiveJobs(msgspec.Struct, gc=False):
    """Jobs by how they stand."""

    waiting: int
    running: int
    dead: int


class LiveAlert(msgspec.Struct, gc=False):
    """One that is on."""

    id: str
    rule: str
    severity: str
    since: str
    subject: str


class LiveWorkers(msgspec.Struct, gc=False):
    """How many serve, of those that should."""

    ready: int
    of: int


class Sentence(msgspec.Struct, gc=False):
    """What is happening now: a code, and what to put into its words."""

    code: str
    values: dict[str, str | int | float] = {}


class LiveState(msgspec.Struct, omit_defaults=True, gc=False):
    """All of it."""

    at: str
    node: str
    ready: bool
    draining: bool
    version: int
    workers: LiveWorkers
    lanes: list[LiveLane]
    lanes_hidden: int
    queues: list[LiveQueue]
    calls: LiveCalls
    cache: LiveCache
    spend_today: str
    currency: str
    alerts: list[LiveAlert]
    sentence: Sentence
    database_away: bool
    clustered: bool
    jobs: LiveJobs | None = None


class Told(msgspec.Struct, gc=False):
    """What one worker says of this moment."""

    gauges: Sequence[LaneGauge] = ()
    pools: Sequence[PoolGauge] = ()
    answers: Sequence[AnswersMeter] = ()
    cluster: ClusterMeter | None = None
    drained: frozenset[str] = frozenset()  # provider/scope


def moment(at_us: int) -> str | None:
    """As RFC 3339 writes it; None for 0."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z") if at_us else None


def lanes(standing: NodeStanding, told: Iterable[Told]) -> list[LiveLane]:
    """Every lane, those first that somebody should look at: closed, limited, then by how full they are."""
    of_lane: dict[str, list[_Gauge]] = {}
    drained: set[str] = set()
    for one in told:
        drained |= one.drained
        _gather(one, of_lane)
    since = {one.model: one.since_us for one in standing.limited}
    found = []
    for sums in standing.lanes:
        lane = _lane(sums, of_lane.get(name_of(sums), ()), since.get(sums.model, 0))
        lane.drained = f"{sums.provider}/{sums.scope}" in drained
        found.append(lane)
    return sorted(found, key=_urgency)


def in_use(standing: NodeStanding, told: Iterable[Told]) -> Iterator[tuple[str, int, int, int]]:
    """Every lane's name, the tokens and requests that `lanes` shows as used and reserved together; tokens reserved."""
    of_lane: dict[str, list[_Gauge]] = {}
    for one in told:
        _gather(one, of_lane)
    for sums in standing.lanes:
        name = name_of(sums)
        gauges = of_lane.get(name, ())
        tokens, requests = _in_use(sums, gauges)
        yield name, tokens, requests, _reserved(gauges, tokens)


def _gather(one: Told, of_lane: dict[str, list[_Gauge]]) -> None:
    shared = one.cluster is not None and one.cluster.mode == _SHARED
    for gauge in one.gauges:
        of_lane.setdefault(gauge.lane, []).append((gauge, shared))


def _in_use(sums: LaneSums, gauges: Sequence[_Gauge]) -> tuple[int, int]:
    tokens = [(one.used_tokens, one.limit_tokens, shared) for one, shared in gauges]
    requests = [(one.used_requests, one.limit_requests, shared) for one, shared in gauges]
    return _of_limit(sums.tokens, sums.limit_tokens, tokens), _of_limit(sums.requests, sums.limit_requests, requests)


def _of_limit(charged: int, limit: int, mirrors: Sequence[tuple[int, int, bool]]) -> int:
    """What a minute took of the limit, or what is in use of it now, whichever is more.

    A bucket that began full can give more than its limit in a minute: that is no more than all of it. Mirrors of a
    second's limit say nothing of a minute; of a quota that is shared this node has a part.
    """
    known = [(used, shared) for used, mirrored, shared in mirrors if used >= 0 and mirrored == limit]
    if not known:
        return charged
    own = sum(used for used, shared in known if not shared)
    every = max((used for used, shared in known if shared), default=-1)
    held = own if every < 0 else own + min(charged, every)
    return max(held, min(charged, limit))


def _urgency(lane: LiveLane) -> tuple[bool, bool, int, str, str, str]:
    idle = lane.closed_since is None, lane.limited_since is None
    return (*idle, -lane.permille, lane.provider, lane.scope, lane.model)


def _lane(sums: LaneSums, gauges: Sequence[_Gauge], limited_us: int) -> LiveLane:
    used_tokens, used_requests = _in_use(sums, gauges)
    tokens = _quota(used_tokens, _reserved(gauges, used_tokens), sums.limit_tokens)
    requests = _quota(used_requests, 0, sums.limit_requests)
    for gauge, shared in gauges:
        tokens.learned = gauge.tokens.learnt or tokens.learned
        requests.learned = gauge.requests.learnt or requests.learned
        if shared:
            tokens.everywhere = _most(tokens.everywhere, gauge.limit_tokens, gauge.level_tokens)
            requests.everywhere = _most(requests.everywhere, gauge.limit_requests, gauge.level_requests)
    return LiveLane(
        sums.provider,
        sums.scope,
        sums.model,
        requests,
        tokens,
        sums.throttled,
        sum(gauge.calls for gauge, _ in gauges),
        moment(sums.closed_since_us),
        moment(limited_us),
    )


def _reserved(gauges: Sequence[_Gauge], used: int) -> int:
    """What a bucket has made good while a call is in flight is not reserved any more."""
    return max(0, min(sum(gauge.reserved for gauge, _ in gauges), used))


def _quota(used: int, reserved: int, limit: int) -> LiveQuota:
    return LiveQuota(max(0, used - reserved), reserved, limit if limit >= 0 else None, None)


def _most(known: int | None, limit: int, left: int) -> int | None:
    return known if limit < 0 else max(known or 0, limit - left)


def _permille(quota: LiveQuota) -> int:
    return 1_000 * (quota.used + quota.reserved) // quota.limit if quota.limit else 0


def queues(told: Iterable[Told], quantiles: Mapping[QueueKey, tuple[int, int]]) -> list[LiveQueue]:
    """Where somebody waits or had to wait in the last minute; the longest first."""
    waiting: dict[QueueKey, int] = dict.fromkeys(quantiles, 0)
    for one in told:
        for pool in one.pools:
            for tier, count in pool.waiting.items():
                key = (pool.pool, pool.model, tier)
                if count or key in waiting:
                    waiting[key] = waiting.get(key, 0) + count
    found = [
        LiveQueue(pool, tier, model, count, *quantiles.get((pool, model, tier), (0, 0)))
        for (pool, model, tier), count in waiting.items()
    ]
    return sorted(found, key=lambda one: (-one.waiting, -one.wait_p99_ms, one.pool, one.model, one.tier))[:MOST_QUEUES]


def name_of(lane: LaneSums) -> str:
    """provider/scope/model."""
    return f"{lane.provider}/{lane.scope}/{lane.model}"


def asked(told: Iterable[Told]) -> tuple[int, int]:
    """What the caches of all workers were asked for ever, and had: a question is asked of the memory first."""
    gets = hits = 0
    for one in told:
        gets += sum(layer.gets for layer in one.answers[:1])
        hits += sum(layer.hits for layer in one.answers)
    return gets, hits
