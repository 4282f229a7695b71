"""What a call lacks of an account whose limits many workers spend, and when it will be there."""

from typing import TYPE_CHECKING, Final

from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import Budget
from tidegate.policy.tenant_limits.joint import PART, STOP, Joint
from tidegate.policy.tenant_limits.short import AWAY, BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

if TYPE_CHECKING:
    from tidegate.policy.tenant_limits.account import Account

_REQUESTS: Final = "limit of requests a minute"
_TOKENS: Final = "limit of tokens a minute"
_PLACES: Final = "limit of calls at a time"


def lacking(joint: Joint, account: "Account", ask: Ask, now: int, wall: int) -> Short | None:
    """The worst of it; None when it may go. O(limits)."""
    shared = joint.together.shared
    worst = _of_rates(joint, account, ask, now) if shared else _of_rates_alone(joint, account, ask, now)
    for budget in account.budgets:
        if shared:
            one = _of_budget(joint, account, budget, ask, now, wall)
        else:
            one = _of_budget_alone(joint, account, budget, ask, now, wall)
        if one is not None and (worst is None or one.worse(worst)):
            worst = one
    return worst


def _of_rates(joint: Joint, account: "Account", ask: Ask, now: int) -> Short | None:
    worst: Short | None = None
    charge = account.charge(ask)
    if account.tpm and not joint.tokens.has(charge, now):
        if charge > account.tpm:
            return Short(TOO_LARGE, account.who, _TOKENS)
        worst = Short(RATE, account.who, _TOKENS, _wait(joint, joint.tokens, charge, now))
    if account.rpm and not joint.requests.has(1, now):
        one = Short(RATE, account.who, _REQUESTS, _wait(joint, joint.requests, 1, now))
        worst = one if worst is None or one.worse(worst) else worst
    if worst is None and account.concurrent and not joint.places.has(1, now):
        return Short(BUSY, account.who, _PLACES, account.soon(1, max(1, account.running)))
    return worst


def _wait(joint: Joint, purse: QuotaLease, cost: int, now: int) -> int:
    """As the fund said, while it is to come; else by what it had left."""
    told = joint.again_at - now
    guess = purse.wait(cost, now)
    return max(1, told if told > 0 else guess)


def _of_rates_alone(joint: Joint, account: "Account", ask: Ask, now: int) -> Short | None:
    if joint.rates_alone(ask, now):
        return None
    how = joint.together.without(account.on_loss, now)
    charge = account.charge(ask)
    if account.tpm and charge > account.tpm:
        return Short(TOO_LARGE, account.who, _TOKENS)
    if how == STOP:
        return Short(AWAY, account.who, _first(account))
    worst: Short | None = None
    if account.tpm and (wait := joint.minute_alone(account.minute_of_tokens(now), charge, now)) not in {0, NEVER}:
        worst = Short(RATE, account.who, _TOKENS, wait)
    if account.rpm and (wait := joint.minute_alone(account.minute_of_requests(now), 1, now)) not in {0, NEVER}:
        one = Short(RATE, account.who, _REQUESTS, wait)
        worst = one if worst is None or one.worse(worst) else worst
    return worst or Short(BUSY, account.who, _PLACES, account.soon(1, max(1, account.running)))


def _first(account: "Account") -> str:
    return _REQUESTS if account.rpm else _TOKENS if account.tpm else _PLACES


def _of_budget(joint: Joint, account: "Account", budget: Budget, ask: Ask, now: int, wall: int) -> Short | None:
    purse = joint.purse(budget)
    hold = joint.hold(budget, ask, now, wall)
    if purse.has(hold, now):
        return None
    if ask.least(money=budget.money) > budget.limit:
        return Short(TOO_LARGE, account.who, budget.called)
    tally, left = budget.at(wall), joint.left(purse, now)
    if hold > left + tally.held:
        return Short(EXHAUSTED, account.who, budget.called, 0, tally.end, budget.zone)
    return Short(BUSY, account.who, budget.called, account.soon(max(1, hold - left), tally.held))


def _of_budget_alone(joint: Joint, account: "Account", budget: Budget, ask: Ask, now: int, wall: int) -> Short | None:
    how = joint.together.without(account.on_loss_of_budget, now)
    if how == STOP:
        return Short(AWAY, account.who, budget.called)
    cost = ask.nano if budget.money else ask.tokens
    if how == PART and joint.alone_of(budget) + cost > joint.part_of(budget, wall):
        if ask.least(money=budget.money) > budget.limit:
            return Short(TOO_LARGE, account.who, budget.called)
        return Short(AWAY, account.who, budget.called)
    return None
