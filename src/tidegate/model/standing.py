"""How one node stood at one moment, as sums that can be added to those of other nodes.

Ratios cannot be added, so none is in here: `observe/samples.py` makes them, of one node or of a whole cluster. What is
counted is what happened in the last minute, unless a name says otherwise; moments are microseconds since 1970, 0 =
none.
"""

import msgspec


class PlanSums(msgspec.Struct, array_like=True, gc=False):
    """The calls of one plan that ended, or that the gate refused before they were any."""

    plan: str
    calls: int = 0  # all of them, refused ones too
    failed: int = 0  # answered with 5xx, or lost
    refused: int = 0  # by the gate itself, whatever the status
    moved: int = 0  # answered by another target than their plan's first


class QueueSums(msgspec.Struct, array_like=True, gc=False):
    """One pool's queue for one model."""

    pool: str
    model: str
    left: int = 0  # calls that were let through or gave up; at once or after a while
    waited_us: int = 0  # how long they had waited, together
    waiting: int = 0  # calls that wait now
    waiting_us: int = 0  # how long they have waited so far, together


class LaneSums(msgspec.Struct, array_like=True, gc=False):
    """What was charged to one lane's quota, and what its provider refused. Limits are a minute's, -1 = none."""

    provider: str
    scope: str
    model: str
    tokens: int = 0
    limit_tokens: int = -1
    requests: int = 0
    limit_requests: int = -1
    throttled: int = 0  # 429s
    closed_since_us: int = 0  # its breaker is closed to calls since then


class LimitedSums(msgspec.Struct, array_like=True, gc=False):
    """One model was limited from `since_us` to `until_us` without a pause of ten seconds; both 0 = it is not."""

    model: str
    since_us: int = 0
    until_us: int = 0


class ScopeSums(msgspec.Struct, array_like=True, gc=False):
    """Keys of one scope that its provider refuses: every node finds the same ones."""

    provider: str
    scope: str
    dead: int = 0


class BudgetSums(msgspec.Struct, array_like=True, gc=False):
    """One namespace's budget: what this node has used, and (`told`) what it knows that all have used together."""

    namespace: str
    period: str  # tokens_day | money_day | money_month
    used: int = 0
    told: int = 0
    limit: int = 0


class NodeStanding(msgspec.Struct, array_like=True, gc=False):
    """All of it, of one node."""

    node: str
    at_us: int
    plans: list[PlanSums] = []
    queues: list[QueueSums] = []
    lanes: list[LaneSums] = []
    limited: list[LimitedSums] = []
    scopes: list[ScopeSums] = []
    budgets: list[BudgetSums] = []
    journal_behind_bytes: int = 0
    database_down_since_us: int = 0
    shared_lost_since_us: int = 0
    worker_restarts: int = 0  # in five minutes
    workers_down: int = 0
    jobs_dead: int = -1  # in an hour, in the database: every node that shares it counts the same; -1 = unknown
    journal_failing_since_us: int = 0  # some worker's
