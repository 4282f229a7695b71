"""Who a call is served for: a namespace, its tier and its weight."""

import msgspec


class Tier(msgspec.Struct, frozen=True, gc=False):
    """A class of service. `rank` 0 goes first; `weight_milli` is its weight in thousandths where tiers share.

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


VIP = Tier("vip", 0, 8_000, smoothed=False)
PAID = Tier("paid", 1, 4_000)
FREE = Tier("free", 2, 2_000)
BATCH = Tier("batch", 3, 1_000, reserve=False)
TIERS = (VIP, PAID, FREE, BATCH)
NOBODY = Tenant("", PAID)  # calls without a namespace
