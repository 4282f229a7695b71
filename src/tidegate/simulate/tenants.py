"""Groups of a scenario as the tenants that the schedulers see."""

from bisect import bisect_right
from itertools import accumulate
from random import Random

from tidegate.model.tenant import TIERS, Tenant
from tidegate.simulate.scenario import Group
from tidegate.units import SECOND_US

_TIERS = {tier.name: tier for tier in TIERS}


class Party:
    """The tenants of one group. `first` is the number of its first tenant among all of the scenario."""

    __slots__ = ("_odds", "deadline_us", "first", "group", "tenants")

    def __init__(self, group: Group, first: int) -> None:
        self.group = group
        self.first = first
        self.deadline_us = int(group.deadline_s * SECOND_US)
        weight = max(1, round(group.weight * 1_000))
        names = [group.name] if group.count == 1 else [f"{group.name}-{number}" for number in range(group.count)]
        self.tenants = [Tenant(name, _TIERS[group.tier], weight) for name in names]
        self._odds = list(accumulate((rank + 1) ** -group.skew for rank in range(group.count))) if group.skew else []

    def pick(self, random: Random) -> int:
        """One of the group's tenants, by how often each calls. O(log tenants)."""
        if self._odds:
            return bisect_right(self._odds, random.random() * self._odds[-1], 0, len(self._odds) - 1)
        return int(random.random() * len(self.tenants))


def parties(groups: tuple[Group, ...]) -> list[Party]:
    """All groups, their tenants numbered through."""
    found: list[Party] = []
    first = 0
    for group in groups:
        found.append(Party(group, first))
        first += group.count
    return found
