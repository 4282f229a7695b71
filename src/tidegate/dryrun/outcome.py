"""What became of a call, in the same words for what happened and for what would have."""

from itertools import pairwise
from typing import Final, NamedTuple

from tidegate.model.arrivals import Arrival
from tidegate.model.facts import BROKEN, LEFT

ANSWERED: Final = "answered"
HIT: Final = "hit"  # by the cache
REFUSED: Final = "refused"  # by the gate; no provider had a say in it
FAILED: Final = "failed"  # a provider was asked, and did not answer
GONE: Final = "left"  # by its client
UNSEEN: Final = "unseen"  # its end was not recorded
ENDS: Final = (ANSWERED, HIT, REFUSED, FAILED, GONE, UNSEEN)
_OK: Final = 400
_THROTTLED: Final = 429
_WHY: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "model_not_allowed",
    404: "unknown_model",
    429: "over_quota",
    503: "queue_full",
    504: "deadline",
}


class Outcome(NamedTuple):
    """How a call ended. `why`: of a refusal, in the words of `model.errors.ProblemKind`, else as its status says."""

    end: str
    why: str = ""
    rule: str = ""  # which of the policy's rules refused it, in words; "" = nobody knows
    provider: str = ""
    model: str = ""
    waited_us: int = 0  # in queues
    paused_us: int = 0  # smoothing and back-off
    degraded: str = ""
    throttled: int = 0  # attempts that the provider refused for its quota
    attempts: int = 0
    prompt: int = 0
    completion: int = 0
    cost_nano: int = 0


def recorded(arrival: Arrival) -> Outcome:
    """What happened."""
    if arrival.hit:
        return Outcome(HIT, model=arrival.served, provider=arrival.provider)
    end = end_of(arrival.status, answered=bool(arrival.provider), asked=bool(arrival.attempts))
    throttled = sum(1 for one in arrival.tries if one.status == _THROTTLED and one.reason == "rate")
    return Outcome(
        end,
        why_of(arrival.status, arrival.why) if end == REFUSED else "",
        "",
        arrival.provider,
        arrival.served,
        arrival.queued_us,
        arrival.waited_us,
        arrival.degraded,
        throttled,
        arrival.attempts,
        arrival.prompt_tokens,
        arrival.completion_tokens,
        arrival.cost_nano,
    )


def end_of(status: int, *, answered: bool, asked: bool) -> str:
    """How a call of this status ended. `answered`: by a provider; `asked`: at least one was."""
    if not status:
        return UNSEEN
    if status == LEFT:
        return GONE
    if answered:
        return FAILED if status == BROKEN else ANSWERED
    if status < _OK:
        return ANSWERED
    return FAILED if asked else REFUSED


def why_of(status: int, told: str = "") -> str:
    """Why the gate refused it: as its story has it (`limited tenant_limit refused over_quota`), else as its status."""
    words = told.split()
    for before, after in pairwise(words):
        if before == "limited" and after.startswith("tenant"):
            return after
    return next(
        (after for before, after in pairwise(words) if before == "refused"), _WHY.get(status, f"status_{status}")
    )
