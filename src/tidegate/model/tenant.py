"""Who a call is served for: a namespace, its tier and its weight. Read many times a call."""

from tidegate.model.value import Value

_JOBS = "(jobs)"  # no name of a namespace or key has a space


class Tier(Value):
    """A class of service. The lowest `rank` goes first (0 is `GUARANTEED`'s).

    `weight_milli` is its weight in thousandths where tiers share;
    `smoothed` = its calls may be delayed near the wall; `reserve` = capacity is kept back for it from lower tiers.
    """

    __slots__ = ("name", "rank", "reserve", "smoothed", "weight_milli")

    def __init__(
        self, name: str, rank: int, weight_milli: int = 1_000, smoothed: bool = True, reserve: bool = True
    ) -> None:
        self.name = name
        self.rank = rank
        self.weight_milli = weight_milli
        self.smoothed = smoothed
        self.reserve = reserve

    def said(self) -> tuple[object, ...]:
        return self.name, self.rank, self.weight_milli, self.smoothed, self.reserve


class Tenant(Value):
    """A namespace as the schedulers see it. `weight_milli` is in thousandths, within its tier."""

    __slots__ = ("flow", "name", "tier", "weight_milli")

    def __init__(self, name: str, tier: Tier, weight_milli: int = 1_000, flow: str = "") -> None:
        self.name = name
        self.tier = tier
        self.weight_milli = weight_milli
        self.flow = flow or name  # under what name it waits for its turn: its jobs are not its conversations

    def patient(self, tier: Tier) -> "Tenant":
        """The same, for its jobs: their service is no part of that of its conversations, nor is its share theirs."""
        return Tenant(self.name, tier, self.weight_milli, f"{self.name} {_JOBS}")

    def said(self) -> tuple[object, ...]:
        return self.name, self.tier, self.weight_milli, self.flow


GUARANTEED = Tier("guaranteed", 0, smoothed=False)  # what a call may claim before all tiers: nobody is of it
VIP = Tier("vip", 1, 8_000, smoothed=False)
PAID = Tier("paid", 2, 4_000)
FREE = Tier("free", 3, 2_000)
BATCH = Tier("batch", 4, 1_000, reserve=False)
TIERS = (VIP, PAID, FREE, BATCH)
NOBODY = Tenant("", PAID)  # calls without a namespace
