"""Tiers and tenants."""

from tidegate.model.snapshot import BUILT_IN_TIERS
from tidegate.model.tenant import GUARANTEED, NOBODY, PAID, TIERS, VIP, Tenant, Tier


def test_tiers_are_in_order() -> None:
    """Each has a rank of its own, and what is guaranteed goes before them all; weights fall with the rank."""
    ranks = [tier.rank for tier in (GUARANTEED, *TIERS)]
    assert ranks == sorted(set(ranks))
    weights = [tier.weight_milli for tier in TIERS]
    assert weights == sorted(weights, reverse=True)


def test_the_first_is_not_smoothed_and_nothing_is_kept_for_the_last() -> None:
    """The two switches: `vip` skips the delay near the wall, and below `batch` there is nobody to keep it from."""
    assert [tier.name for tier in TIERS if not tier.smoothed] == ["vip"]
    assert [tier.name for tier in TIERS if not tier.reserve] == ["batch"]


def test_nobody_is_of_the_tier_of_client_keys() -> None:
    """A gate without keys treats its callers as one with keys does."""
    assert Tenant("", PAID) == NOBODY


def test_tenants_are_values() -> None:
    """Equal ones are one key of a dictionary; who differs in anything is another."""
    one = Tenant("acme", VIP)
    same = Tenant("acme", Tier("vip", VIP.rank, VIP.weight_milli, smoothed=False))
    assert {one: 1}[same] == 1
    others = [Tenant("acme", PAID), Tenant("acme", VIP, 2_000), Tenant("acme", VIP, flow="x"), Tenant("b", VIP)]
    assert one not in others
    assert one != "acme"
    assert len({one, *others}) == 5


def test_the_snapshot_has_the_same_tiers() -> None:
    """Field for field."""
    fields = ("name", "rank", "weight_milli", "smoothed", "reserve")
    assert [[getattr(tier, field) for field in fields] for tier in BUILT_IN_TIERS] == [
        [getattr(tier, field) for field in fields] for tier in TIERS
    ]
