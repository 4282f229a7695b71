"""What of a lane outlives its worker, and what is shown of it."""

from collections.abc import Iterator, Mapping

from tidegate.journal.learnt import Learnt
from tidegate.line.lane import Lane, LaneState
from tidegate.line.lanes import Lanes
from tidegate.line.pool import Pool
from tidegate.model.facts import Intent
from tidegate.observe.log import Log
from tidegate.observe.meters import AccountGauge, KeyGauge, LaneGauge, PoolGauge
from tidegate.observe.observer import Observer
from tidegate.ports import Clock
from tidegate.worker.owed import NONE, Owed

_NOBODY: Mapping[str, Owed] = {}


def learnt_of(lane: Lane, now: int) -> Learnt:
    """What is worth remembering of a lane."""
    return Learnt(lane.estimator.dump(), lane.requests.belief(now), lane.tokens.belief(now))


def memories(
    known: dict[str, Learnt], levels: dict[str, Intent], clock: Clock, owed: Mapping[str, Owed] = _NOBODY
) -> dict[str, LaneState]:
    """What lanes begin with: what was learnt, where their quota stood when the last worker ended. O(lanes).

    `owed`: what calls that wait for their turn at a predecessor will take of it.
    """
    now, wall = clock.now(), clock.wall()
    found = {}
    for key in known.keys() | levels.keys() | owed.keys():
        of, due = known.get(key, Learnt()), owed.get(key, NONE)
        waits = due.requests, due.tokens, due.wait_us
        intent = levels.get(key)
        if intent is None:
            found[key] = LaneState(of.requests, of.tokens, of.ratios, None, None, 0, *waits)
        else:
            at = now - max(0, wall - intent.at_us)
            found[key] = LaneState(
                of.requests,
                of.tokens,
                of.ratios,
                _level(intent.level_requests),
                _level(intent.level_tokens),
                at,
                *waits,
            )
    return found


def _level(level: int) -> int | None:
    return None if level == -1 else level


def gauge(lane: Lane, now: int) -> LaneGauge:
    """How a lane stands."""
    quota = lane.quota
    tokens, requests = quota.view_tokens(now), quota.view_requests(now)
    return LaneGauge(
        lane.name,
        tokens.left if tokens else -1,
        tokens.limit if tokens else -1,
        requests.left if requests else -1,
        requests.limit if requests else -1,
        not lane.breaker.refused,
        lane.requests.belief(now),
        lane.tokens.belief(now),
        lane.charged_requests,
        lane.charged_tokens,
        lane.breaker.pause(now),
        lane.keys.retired + lane.breaker.healths[0].limited,  # the last key of a scope never leaves: the scope closes
        lane.calls,
        lane.reserved,
        quota.used_tokens(now),
        quota.used_requests(now),
    )


def account_gauges(lanes: Lanes, clock: Clock) -> Iterator[AccountGauge]:
    """How each scope stands. O(scopes + keys)."""
    now = clock.now()
    for provider, scope, ring, organisation in lanes.accounts():
        keys = [KeyGauge(digest, state, max(0, at - now) if at else 0) for digest, state, at in ring.states()]
        pause = organisation.health.wait(now)
        yield AccountGauge(provider, scope, organisation.drain.on, keys, organisation.cap.busy, pause)


def pool_gauge(pool: Pool[Lane], now: int) -> PoolGauge:
    """How a pool's queue stands."""
    dispatcher, (name, _, model) = pool.dispatcher, pool.name.partition("/")
    return PoolGauge(
        name,
        model,
        dispatcher.by_tier,
        dispatcher.oldest_us(now),
        len(dispatcher.appointments),
        dispatcher.left,
        dispatcher.waited_us,
        dispatcher.refused,
        dispatcher.waiting_us(now),
        dispatcher.waits,
    )


def observer(lanes: Lanes, clock: Clock, log: Log) -> Observer:
    """Who counts what happens on them, and says how they stand."""

    def gauges() -> Iterator[LaneGauge]:
        now = clock.now()
        return (gauge(lane, now) for lane in lanes)

    def pools() -> Iterator[PoolGauge]:
        now = clock.now()
        return (pool_gauge(pool, now) for pool in lanes.pools)

    return Observer(clock, gauges, pools, log, lambda: account_gauges(lanes, clock))
