"""How the lanes of a pool stood when one of them was picked, for the story of a call.

What decided is said as it was at that moment: what each had left, why it could not serve, and what the pool's rule
compares. Only who has a story anyway asks for it: a few microseconds a lane.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.model.story import AWAY, BUSY, COOLING, DRAINED, LARGE, OPEN, PROBING, SHORT, LaneSeen
from tidegate.policy.lease.purse import AWAY_US
from tidegate.policy.pick.face import Strategy
from tidegate.policy.queue.outlet import UNLIMITED, Outlet
from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.quota import Charge

MOST_LANES: Final = 8


def lineup(
    outlets: Sequence[Outlet], strategy: Strategy, charge: Charge, floor: int, now: int, taken: Outlet | None = None
) -> tuple[LaneSeen, ...]:
    """The first few, and `taken` in any case. Before anything is taken there."""
    shown = list(outlets[:MOST_LANES])
    if taken is not None and taken not in shown:
        shown[-1] = taken
    return tuple(_seen(outlet, strategy, charge, floor, now) for outlet in shown)


def _seen(outlet: Outlet, strategy: Strategy, charge: Charge, floor: int, now: int) -> LaneSeen:
    state, wait = stands(outlet, charge, floor, now)
    quota, outputs = outlet.quota, outlet.outputs
    requests, tokens = _left(quota.requests, now), _left(quota.tokens, now)
    made = _left(outputs.allowances, now) if outputs is not None else (0, 0)
    score = strategy.score(outlet, charge, now)
    return LaneSeen(_scope(outlet.name), state, wait, *requests, *tokens, *made, outlet.calls, score)


def stands(outlet: Outlet, charge: Charge, floor: int, now: int) -> tuple[str, int]:
    """Whether it could serve the call, else why not; and the time until it could, where one is known."""
    breaker = outlet.breaker
    if breaker.drained:
        return DRAINED, 0
    if breaker.limited and (pause := breaker.wait(now)):
        return (PROBING, 0) if breaker.blocked() else (COOLING, pause)
    if outlet.full() is not None:
        return (AWAY if outlet.cap.shut else BUSY), 0
    wait = outlet.soonest(charge, now, floor)
    if wait == NEVER:
        return LARGE, 0
    if wait >= AWAY_US:
        return AWAY, 0
    return (SHORT, wait) if wait else (OPEN, 0)


def _left(allowances: Sequence[Allowance], now: int) -> tuple[int, int]:
    """Of the one with the least left, and its limit; zeros where nothing limits."""
    left = limit = 0
    for allowed in allowances:
        if 0 < allowed.limit < UNLIMITED:
            here = allowed.left(now)
            if not limit or here < left:
                left, limit = here, allowed.limit
    return left, limit


def _scope(name: str) -> str:
    """Of provider/scope/model; all lanes of a pool have the others in common."""
    parts = name.split("/", 2)
    return parts[1] if len(parts) > 1 else name
