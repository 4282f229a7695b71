"""What is counted while a scenario plays."""

from array import array
from collections.abc import Sequence
from enum import IntEnum

import msgspec

from tidegate.simulate.call import Call
from tidegate.simulate.fairness import Gaps
from tidegate.simulate.scenario import Scenario
from tidegate.simulate.tenants import Party
from tidegate.units import SECOND_US


class Ending(IntEnum):
    """How a wish ended, for good."""

    ANSWERED = 0
    REFUSED = 1  # told so, and not asked again
    EXPIRED = 2  # it waited for nothing: its deadline came in the queue
    FAILED = 3  # no account could answer


class Moment(msgspec.Struct):
    """What happened in one stretch of time. Waits in seconds, by group."""

    at_s: float
    asked: int = 0
    answered: int = 0
    refused: int = 0
    expired: int = 0
    failed: int = 0
    throttled: int = 0
    charged: int = 0
    quota: int = 0
    waiting: int = 0
    p99_s: list[float] = []


class GroupTally:
    """One group's wishes. `waits`: microseconds at the gate, of what was answered."""

    __slots__ = ("asked", "endings", "latest", "longest", "party", "waits")

    def __init__(self, party: Party) -> None:
        self.party = party
        self.asked = 0
        self.endings = [0, 0, 0, 0]
        self.waits = array("q")
        self.latest: list[int] = []  # since the last moment
        self.longest = 0


class Tally:
    """Counts of one run. Service by tenant, in tokens, from the end of the warm-up until the end."""

    def __init__(self, scenario: Scenario, everybody: Sequence[Party]) -> None:
        tenants = sum(len(party.tenants) for party in everybody)
        self.groups = [GroupTally(party) for party in everybody]
        self._of = {party.first: group for party, group in zip(everybody, self.groups, strict=True)}
        self._from_us, self._to_us = int(scenario.warmup_s * SECOND_US), int(scenario.duration_s * SECOND_US)
        self.wanted = array("q", bytes(8 * tenants))
        self.served = array("q", bytes(8 * tenants))
        self.refusals = 0
        self.named = array("q")
        self.returned = self.honoured = 0
        self.open = 0
        self.moments: list[Moment] = []
        self._moment = Moment(0.0)
        self._totals = (0, 0, 0)
        self._watched = watched(everybody, scenario.watched)
        self._waiting = [0] * tenants
        ranks, weights = _classes(everybody, self._watched)
        self.gaps = Gaps(ranks, weights)

    def asked(self, call: Call) -> None:
        """A client wants something, for the first time."""
        self._of[call.party.first].asked += 1
        self._moment.asked += 1
        self.open += 1
        if call.asked >= self._from_us:
            self.wanted[call.number] += call.tokens

    def told(self, call: Call, named_us: int) -> None:
        """A refusal, final or not; `named_us` = 0: without a time."""
        self.refusals += 1
        if named_us:
            self.named.append(named_us)

    def waits(self, call: Call) -> None:
        """A call stands in a queue."""
        number = call.number
        self._waiting[number] += 1
        if self._waiting[number] == 1 and (who := self._watched.get(number, -1)) >= 0:
            self.gaps.waits(who)

    def leaves(self, call: Call) -> None:
        """It does not any more. Its service, if any, was told before."""
        number = call.number
        self._waiting[number] -= 1
        if not self._waiting[number] and (who := self._watched.get(number, -1)) >= 0:
            self.gaps.rests(who)

    def passes(self, call: Call, now: int) -> None:
        """A call is let through."""
        if not self._from_us <= now <= self._to_us:
            return
        self.served[call.number] += call.tokens
        if (who := self._watched.get(call.number, -1)) >= 0:
            self.gaps.served(who, call.tokens)

    def waited(self, call: Call, waited_us: int, *, answered: bool) -> None:
        """How long the gate held it, whatever came of it."""
        group = self._of[call.party.first]
        if waited_us > group.longest:
            group.longest = waited_us
        if answered:
            group.waits.append(waited_us)
            group.latest.append(waited_us)

    def ended(self, call: Call, ending: Ending) -> None:
        """The one end of a wish."""
        self._of[call.party.first].endings[ending] += 1
        self.open -= 1
        moment = self._moment
        if ending is Ending.ANSWERED:
            moment.answered += 1
            self.honoured += call.returned
        elif ending is Ending.REFUSED:
            moment.refused += 1
        elif ending is Ending.EXPIRED:
            moment.expired += 1
        else:
            moment.failed += 1

    def turn(self, now: int, totals: tuple[int, int, int], waiting: int) -> None:
        """A stretch of time is over; `totals` of 429s, charged tokens and quota since the beginning."""
        moment = self._moment
        moment.throttled, moment.charged, moment.quota = (
            total - before for total, before in zip(totals, self._totals, strict=True)
        )
        moment.waiting = waiting
        for group in self.groups:
            group.latest.sort()
            moment.p99_s.append(percentile(group.latest, 990) / SECOND_US)
            group.latest.clear()
        self.moments.append(moment)
        self._totals = totals
        self._moment = Moment(now / SECOND_US, p99_s=[])


def percentile(ordered: Sequence[int], permille: int) -> int:
    """The smallest value that so many do not exceed; 0 of nothing."""
    return ordered[-(-len(ordered) * permille // 1_000) - 1] if ordered else 0


def watched(everybody: Sequence[Party], most: int) -> dict[int, int]:
    """Up to `most` tenants by number, in turn from each group, the most active first: they are compared."""
    found: dict[int, int] = {}
    rank = 0
    while len(found) < most and any(rank < len(party.tenants) for party in everybody):
        for party in everybody:
            if rank < len(party.tenants) and len(found) < most:
                found[party.first + rank] = len(found)
        rank += 1
    return found


def _classes(everybody: Sequence[Party], who: dict[int, int]) -> tuple[list[int], list[float]]:
    tenants = [tenant for party in everybody for tenant in party.tenants]
    return (
        [tenants[number].tier.rank for number in who],
        [tenants[number].weight_milli / 1_000 for number in who],
    )
