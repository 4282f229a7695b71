"""Who a call is served for: a namespace, its tier and its weight."""

import msgspec

_JOBS = "(jobs)"  # no name of a namespace or key has a space


class Tier(msgspec.Struct, frozen=True, gc=False):
    """A class of service. The lowest `rank` goes first (0 is `GUARANTEED`'s).

    `weight_milli` is its weight in thousandths where tiers share;
    `smoothed` = its calls may be delayed near the wall; `reserve` = capacity is kept back for it from lower tiers.
    """

    name: str
    rank: int
    weight_milli: int = 1_000
    smoothed: bool = True
    reserve: bool = True


class Tenant(msgspec.Struct, frozen=True, gc=False):
    """A namespace as the schedulers see it. `weight_milli` is in thousandths, within its tier."""

    name: str
    tier: Tier
    weight_milli: int = 1_000
    flow: str = ""  # under what name it waits for its turn, "" = its own: its jobs are not its conversations

    def __post_init__(self) -> None:
        if not self.flow:
            msgspec.structs.force_setattr(self, "flow", self.name)

    def patient(self, tier: Tier) -> "Tenant":
        """The same, for its jobs: their service is no part of that of its conversations, nor is its share theirs."""
        return Tenant(self.name, tier, self.weight_milli, f"{self.name} {_JOBS}")


GUARANTEED = Tier("guaranteed", 0, smoothed=False)  # what a call may claim before all tiers: nobody is of it
VIP = Tier("vip", 1, 8_000, smoothed=False)
PAID = Tier("paid", 2, 4_000)
FREE = Tier("free", 3, 2_000)
BATCH = Tier("batch", 4, 1_000, reserve=False)
TIERS = (VIP, PAID, FREE, BATCH)
NOBODY = Tenant("", PAID)  # calls without a namespace
