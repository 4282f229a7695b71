"""What was spent of a budget, as it is kept over a restart and told to operators."""

import msgspec


class Spent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One period of one budget: of a namespace, user, key, or a model of a namespace; "" where it is none's own.

    `what` is the limit's name in `entitlements.Allowance`, with its unit; the period is in wall-clock microseconds.
    """

    namespace: str
    user: str
    key: str
    model: str
    what: str  # tokens_day | nano_day | nano_month
    start_us: int
    end_us: int
    amount: int
    zone: str = "UTC"
    told: int = 0  # by all workers of the cluster, as far as this one was told
