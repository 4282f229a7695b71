"""Which rule of a policy refused a call, in the words of its file."""

from typing import Final, NamedTuple

from tidegate.line.plan import Plan
from tidegate.line.target import Target
from tidegate.model.call import Call
from tidegate.model.errors import ProblemKind
from tidegate.model.reply import Refused
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

_OF_TENANTS: Final = {
    RATE: "tenant_limit",
    BUSY: "tenant_limit",
    EXHAUSTED: "tenant_exhausted",
    TOO_LARGE: "tenant_too_large",
}
_OF_QUOTA: Final = frozenset({ProblemKind.OVER_QUOTA, ProblemKind.QUEUE_FULL, ProblemKind.TOO_LARGE})


class Refusal(NamedTuple):
    """Why, in a word, and by which rule."""

    why: str
    rule: str


NONE: Final = Refusal("", "")
UNKNOWN_KEY: Final = Refusal("unauthenticated", "clients: the key is not the file's")
NOT_YET: Final = Refusal("unauthenticated", "clients: the key is not valid at that moment")
NOT_ALLOWED: Final = Refusal("model_not_allowed", "models: the key may not use the model")


def unknown_model(name: str) -> Refusal:
    """Nobody serves it."""
    return Refusal("unknown_model", f"routes: nobody serves {name!r}")


def limited(short: Short) -> Refusal:
    """By the tenant's own limits."""
    return Refusal(_OF_TENANTS.get(short.kind, "tenant_limit"), f"{short.what} of {short.whose}")


def of_line(call: Call, plan: Plan, refused: Refused, now: int) -> Refusal:
    """By what the line said. O(targets)."""
    kind = refused.problem.kind
    why = kind.name.lower()
    if kind not in _OF_QUOTA:
        return Refusal(why, f"targets of {plan.name!r}: none can serve such a call")
    able = [target for target in plan.targets if not target.unfit(call)]
    if able and _bound(call, able[0], now):
        return Refusal(why, f"rate_limit of strategy {plan.name!r}")
    names = dict.fromkeys(f"{target.provider}/{target.model}" for target in able)
    what = "queue" if kind is ProblemKind.QUEUE_FULL else "quota"
    return Refusal(why, f"{what} of {', '.join(names)}")


def _bound(call: Call, target: Target, now: int) -> bool:
    """Whether the strategy's own limit keeps the call for longer than the provider's quota."""
    if target.bound is None:
        return False
    pool = target.for_tenant(call.tenant)[0]
    charge = pool.lanes[0].charge(call)
    own, theirs = target.bound.predict(call.tenant, charge, now), pool.predict(call.tenant, charge, now)
    return own.full or own.wait_us == NEVER or (theirs.wait_us != NEVER and own.wait_us > theirs.wait_us)
