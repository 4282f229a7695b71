"""What came of a run, as figures."""

from collections.abc import Sequence

import msgspec

from tidegate.simulate.fairness import fair_shares, jain
from tidegate.simulate.scenario import Scenario
from tidegate.simulate.shards import Handover, OwnerLoad, Shards
from tidegate.simulate.tally import Ending, GroupTally, Moment, Tally, percentile
from tidegate.units import SECOND_US


class GroupReport(msgspec.Struct, frozen=True):
    """One group of tenants. Waits are at the gate, of what was answered; `longest_s` of everything."""

    name: str
    tier: str
    asked: int
    answered: int
    refused: int
    expired: int
    failed: int
    wait_p50_s: float
    wait_p99_s: float
    longest_s: float


class Report(msgspec.Struct, frozen=True):
    """One run. Counts are of wishes, however often each was asked; `refusals` and 429s are of single requests.

    `use`: charged ÷ what the accounts could give, after the warm-up. `jain`: of service ÷ the max-min fair share within
    the tier. `gap`: the widest difference of normalised service of two waiting tenants over any interval, in tokens;
    `gap_calls`: in largest calls. `honoured` of `returned` came back within a second after the named time, and were
    served.
    """

    scheduler: str
    asked: int
    answered: int
    refused: int
    expired: int
    failed: int
    refusals: int
    throttled: int
    avoidable: int
    use: float
    jain: float
    gap: float
    gap_calls: float
    named_p50_s: float
    returned: int
    honoured: int
    groups: list[GroupReport]
    owners: list[OwnerLoad]
    handovers: list[Handover]
    moments: list[Moment]
    events: int


def report(
    scheduler: str, scenario: Scenario, tally: Tally, shards: Shards, refused: tuple[int, int], use: float, events: int
) -> Report:
    """The figures of a run that has ended; `refused`: 429s, and the avoidable ones."""
    groups = [_group(group) for group in tally.groups]
    sums = [sum(group.endings[ending] for group in tally.groups) for ending in Ending]
    return Report(
        scheduler=scheduler,
        asked=sum(group.asked for group in tally.groups),
        answered=sums[Ending.ANSWERED],
        refused=sums[Ending.REFUSED],
        expired=sums[Ending.EXPIRED],
        failed=sums[Ending.FAILED],
        refusals=tally.refusals,
        throttled=refused[0],
        avoidable=refused[1],
        use=use,
        jain=fairness(tally),
        gap=tally.gaps.widest,
        gap_calls=tally.gaps.ratio,
        named_p50_s=percentile(sorted(tally.named), 500) / SECOND_US,
        returned=tally.returned,
        honoured=tally.honoured,
        groups=groups,
        owners=shards.loads() if scenario.shards else [],
        handovers=shards.handovers,
        moments=tally.moments,
        events=events,
    )


def fairness(tally: Tally) -> float:
    """Jain's index over all tenants that asked, each tier's service divided max-min fairly among those of the tier."""
    shares: list[float] = []
    for rank in sorted({group.party.tenants[0].tier.rank for group in tally.groups}):
        same = [group for group in tally.groups if group.party.tenants[0].tier.rank == rank]
        shares += _shares(tally, same)
    return jain(shares)


def _shares(tally: Tally, groups: Sequence[GroupTally]) -> list[float]:
    wanted: list[float] = []
    served: list[float] = []
    weights: list[float] = []
    for group in groups:
        party = group.party
        numbers = range(party.first, party.first + len(party.tenants))
        for number in numbers:
            if tally.wanted[number]:
                wanted.append(tally.wanted[number])
                served.append(tally.served[number])
                weights.append(party.group.weight)
    fair = fair_shares(wanted, weights, sum(served))
    return [had / due for had, due in zip(served, fair, strict=True) if due]


def _group(group: GroupTally) -> GroupReport:
    waits = sorted(group.waits)
    answered, refused, expired, failed = group.endings
    return GroupReport(
        name=group.party.group.name,
        tier=group.party.group.tier,
        asked=group.asked,
        answered=answered,
        refused=refused,
        expired=expired,
        failed=failed,
        wait_p50_s=percentile(waits, 500) / SECOND_US,
        wait_p99_s=percentile(waits, 990) / SECOND_US,
        longest_s=group.longest / SECOND_US,
    )
