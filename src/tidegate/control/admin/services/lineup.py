"""The lanes of a pool as a story has them, for people: what each had left, and why it was passed over. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from tidegate.model.story import AWAY, BUSY, COOLING, DRAINED, LARGE, OPEN, PROBING, SHORT, LaneSeen, Step
from tidegate.units import SECOND_US

TAKEN: Final = "taken"
_STATES: Final = {
    TAKEN: "taken",
    OPEN: "could have served",
    SHORT: "not enough of its quota left",
    LARGE: "its limit is less than the call",
    COOLING: "cooling down after a refusal",
    PROBING: "refused, another call tries it",
    BUSY: "as many calls in flight as it may have",
    DRAINED: "an operator has taken it out of service",
    AWAY: "the shared state is away",
}
_SCORES: Final = {
    "headroom": "{0:g} % of its scarcest limit left after the call",
    "least_loaded": "load {1:g} ms of its limit",
    "weighted": "weight {1:g}",
    "affinity": "{0:g} % of the calls that it may carry",
}


class LaneStage(msgspec.Struct, frozen=True):
    """One lane, as it stood. `state`: `taken`, or why not; a limit of 0: there is none."""

    scope: str
    state: str
    wait_us: int
    requests: int
    request_limit: int
    tokens: int
    token_limit: int
    outputs: int
    output_limit: int
    calls: int
    score: int
    says: str


def lanes(step: Step) -> tuple[LaneStage, ...]:
    """Those of a step, in its order. O(lanes), which are few."""
    taken = step.target.split("/", 2)[1] if step.target.count("/") > 1 else ""
    return tuple(_stage(one, step.why, taken=bool(taken) and one.scope == taken) for one in step.lanes)


def _stage(one: LaneSeen, rule: str, *, taken: bool) -> LaneStage:
    state = TAKEN if taken else one.state
    fields = {name: getattr(one, name) for name in LaneSeen.__struct_fields__}
    return LaneStage(**{**fields, "state": state}, says="; ".join(_says(one, state, rule)))


def _says(one: LaneSeen, state: str, rule: str) -> Iterator[str]:
    after = f", for {one.wait_us / SECOND_US:.2f} s" if one.wait_us else ""
    yield f"{_STATES.get(state, state)}{after}"
    left = [
        f"{have:,} of {limit:,} {what}"
        for have, limit, what in (
            (one.requests, one.request_limit, "requests"),
            (one.tokens, one.token_limit, "tokens"),
            (one.outputs, one.output_limit, "output tokens"),
        )
        if limit
    ]
    if left:
        yield f"{', '.join(left)} left"
    if one.calls:
        yield f"{one.calls:,} in flight"
    if rule in _SCORES:
        yield _SCORES[rule].format(one.score / 10, one.score / 1_000 if rule == "weighted" else one.score)
