"""What a job leaves of its tenant's own limits, for whoever waits for an answer.

Jobs are many and come again whenever they are told to, so they would hold every place and every minute of their
tenant. A job goes only where a conversation could still go after it: of calls in flight a tenth stays free, and one at
least; of a minute's requests and tokens a tenth, and as much as the job itself takes, up to a quarter. What
conversations leave beyond that is the jobs': they wait for it and lose nothing. Where a limit is too small for both, a
job goes while nothing else is held of it. Budgets of days and months are spent by whoever comes first.

Conversations do not come here. O(1).
"""

from tidegate.policy.queue.outlet import needed
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.window import SlidingLog
from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.joint import Joint
from tidegate.policy.tenant_limits.short import BUSY, RATE, Short


def room(limit: int, cost: int) -> int:
    """How much of a limit stays free after a job that takes `cost` of it. At least 1."""
    tenth, quarter = -(-limit // 10), limit // 4
    return max(tenth, min(cost, quarter))


def crowded(account: Account, ask: Ask, now: int) -> Short | None:
    """What a job lacks here to leave room, the worst of it. What no job can ever have is not told here."""
    if account.joint is not None and account.joint.together.shared:
        return _crowded_together(account, account.joint, ask, now)
    wait, what = 0, "limit of tokens a minute"
    if account.tpm:
        wait = _wait(account.minute_of_tokens(now), account.charge(ask), now)
    if account.rpm:
        other = _wait(account.minute_of_requests(now), 1, now)
        if other > wait:
            wait, what = other, "limit of requests a minute"
    if wait:
        return Short(RATE, account.who, f"{what} for jobs", wait)
    running = account.running
    if account.concurrent and running:
        beyond = running - (account.concurrent - room(account.concurrent, 1)) + 1
        if beyond > 0:
            missing = min(beyond, running)
            return Short(BUSY, account.who, "limit of calls at a time for jobs", account.soon(missing, running))
    return None


def _crowded_together(account: Account, joint: Joint, ask: Ask, now: int) -> Short | None:
    """By what is left for all workers, as far as this one was told."""
    for purse, cost, what in (
        (joint.tokens, account.charge(ask), "limit of tokens a minute"),
        (joint.requests, 1 if account.rpm else 0, "limit of requests a minute"),
        (joint.places, 1 if account.concurrent else 0, "limit of calls at a time"),
    ):
        beyond = cost + room(purse.limit, cost) if purse.limit and cost else 0
        if beyond and cost <= purse.limit and min(beyond, purse.limit) > joint.left(purse, now):
            busy = purse is joint.places
            wait = account.soon(1, max(1, account.running)) if busy else purse.wait(min(beyond, purse.limit), now)
            return Short(BUSY if busy else RATE, account.who, f"{what} for jobs", max(1, wait))
    return None


def _wait(minute: SlidingLog, cost: int, now: int) -> int:
    if not cost:
        return 0
    wait = minute.wait(needed(minute, cost, room(minute.limit, cost)), now)
    return 0 if wait == NEVER else wait
