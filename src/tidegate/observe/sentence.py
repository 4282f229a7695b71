"""One sentence that says what is happening at a gate: the worst first. Pure; who shows it has the words."""

from collections.abc import Callable
from typing import Final

from tidegate.observe.live import LiveLane, LiveState, Sentence

NEAR: Final = 900  # thousandths of a quota from which on it is nearly used up
FAILING: Final = 10  # thousandths of the calls
_LONG_S: Final = 60


def sentence(state: LiveState, limited_s: dict[str, int]) -> Sentence:
    """Of all that could be said, what somebody must know first. `limited_s`: for how long models have been limited."""
    for finder in _FINDERS:
        found = finder(state, limited_s)
        if found is not None:
            return found
    return _well(state)


def _no_worker(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    return Sentence("no_worker") if not state.ready and not state.draining else None


def _database_away(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    return Sentence("database_away") if state.database_away else None


def _limited(state: LiveState, limited: dict[str, int]) -> Sentence | None:
    """A model that has been limited for a minute or more, the longest first."""
    model = max(limited, key=lambda name: (limited[name], name), default="")
    if limited.get(model, 0) < _LONG_S:
        return None
    provider = next((lane.provider for lane in state.lanes if lane.model == model), "")
    return Sentence("limited", {"model": model, "provider": provider, "minutes": limited[model] // 60})


def _breaker_open(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    closed = next((lane for lane in state.lanes if lane.closed_since is not None), None)
    if closed is None:
        return None
    return Sentence("breaker_open", {"provider": closed.provider, "scope": closed.scope, "model": closed.model})


def _queueing(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    waiting: dict[str, int] = {}
    for queue in state.queues:
        waiting[queue.model] = waiting.get(queue.model, 0) + queue.waiting
    model = max(waiting, key=lambda name: (waiting[name], name), default="")
    if not waiting.get(model):
        return None
    longest = max(queue.wait_p99_ms for queue in state.queues if queue.model == model)
    return Sentence("queueing", {"model": model, "waiting": waiting[model], "wait_ms": longest})


def _near_quota(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    lane = _fullest(state)
    if lane is None or lane.permille < NEAR:
        return None
    return Sentence("near_quota", {"model": lane.model, "percent": lane.permille // 10})


def _failing(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    permille = state.calls.error_permille
    return Sentence("failing", {"permille": permille}) if permille >= FAILING else None


def _draining(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    return Sentence("draining") if state.draining else None


def _idle(state: LiveState, _limited: dict[str, int]) -> Sentence | None:
    return Sentence("idle") if not state.calls.per_second and not state.calls.in_flight else None


_FINDERS: Final[tuple[Callable[[LiveState, dict[str, int]], Sentence | None], ...]] = (
    _no_worker, _database_away, _limited, _breaker_open, _queueing, _near_quota, _failing, _draining, _idle,
)  # fmt: skip


def _well(state: LiveState) -> Sentence:
    lane = _fullest(state)
    percent = 0 if lane is None else lane.permille // 10
    return Sentence("well", {"calls_per_second": state.calls.per_second, "percent": percent})


def _fullest(state: LiveState) -> LiveLane | None:
    return max(state.lanes, key=lambda lane: lane.permille, default=None)
