"""Plays regions around a store, and judges by what the provider had: one bucket for all of them."""

import itertools
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

import msgspec

from tidegate.model.regions import WHOLE
from tidegate.policy.regions.party import Place, Rule
from tidegate.simulate.regions.plan import (
    AWAY,
    CUT,
    LOSES,
    PAUSED,
    TICK_US,
    WINDOW_US,
    Plan,
    Trouble,
    demand,
    distances,
    troubles,
)
from tidegate.simulate.regions.region import Region
from tidegate.simulate.regions.store import Agenda, Records, Way
from tidegate.units import SECOND_US

_RENEW_TICKS: Final = 10  # demand changes so often


class Figures(msgspec.Struct):
    """What came of a run. Calls, but for `over_tokens`; shares are per cent of the provider's quota."""

    regions: int
    seconds: float
    arrived: int
    admitted: int
    over_tokens: int
    used: float
    least: float  # Σ min(demand, part): what parts and demand allowed at least
    most: float  # Σ demand, as far as the quota goes: had there been one region
    equal: float  # the same with parts that never move
    largest_sum_ppm: int
    moves: int
    cuts: int
    pauses: int
    restarts: int


class Provider:
    """A bucket of the whole limit, full at first; charged when calls arrive there."""

    __slots__ = ("_at", "_full", "_level", "_limit", "_slots", "deepest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._full = self._level = limit * WINDOW_US
        self._at = 0
        self._slots: dict[int, int] = {}
        self.deepest = 0

    def sent(self, tokens: int, arrives: int) -> None:
        """They are on their way."""
        self._slots[arrives] = self._slots.get(arrives, 0) + tokens

    def tick(self, now: int) -> None:
        """Charge what arrives now."""
        tokens = self._slots.pop(now, 0)
        self._level = min(self._full, self._level + (now - self._at) * self._limit) - tokens * WINDOW_US
        self._at = now
        self.deepest = min(self.deepest, self._level)

    @property
    def over(self) -> int:
        """Tokens beyond what was there, at the worst moment."""
        return -(self.deepest // WINDOW_US)


class Run:
    """One run; the same plan and seed give the same figures."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._random = Random(seed)
        self._agenda = Agenda()
        self._records = Records()
        self._limit = plan.quota_per_s * plan.tokens * WINDOW_US // SECOND_US
        self._provider = Provider(self._limit)
        names = tuple(f"region-{number}" for number in range(plan.regions))
        rule = Rule(names, plan.floor_ppm, plan.lease_us)
        self._regions = [
            self._region(rule, name, trip) for name, trip in zip(names, distances(plan, self._random), strict=True)
        ]
        self._troubles = troubles(plan, self._random) if plan.troubled else []
        for trouble in self._troubles:
            self._plant(trouble)
        self._rates = [0.0] * plan.regions
        self._owed = [0.0] * plan.regions
        self._equal = self._most = 0.0
        self._largest = 0

    def _region(self, rule: Rule, name: str, trip: int) -> Region:
        plan, random = self._plan, self._random
        way = Way(self._agenda, trip, plan.lost_permille, random)
        region = Region(plan, Place(name, "node"), rule, self._agenda, self._records, way)
        drift = plan.drift_permille * 1_000
        region.drifts(random.randrange(10**12), random.randint(-drift, drift))
        beat: Callable[[], None] = partial(self._beat, region)
        self._agenda.at(random.randrange(plan.beat_us), beat)
        return region

    def _beat(self, region: Region) -> None:
        region.beat(partial(self._beat, region))

    def _plant(self, trouble: Trouble) -> None:
        first, last = round(trouble.first_s * SECOND_US), round(trouble.last_s * SECOND_US)
        self._agenda.at(first, partial(self._strike, trouble, begins=True))
        self._agenda.at(last, partial(self._strike, trouble, begins=False))

    def _strike(self, trouble: Trouble, *, begins: bool) -> None:
        affected = self._regions if trouble.region < 0 else [self._regions[trouble.region]]
        for region in affected:
            if trouble.kind in {CUT, AWAY}:
                region.way.closed += 1 if begins else -1
            elif trouble.kind == PAUSED:
                region.paused = begins
            elif trouble.kind == LOSES and begins:
                self._records.parts.clear()
            elif begins and trouble.kind != LOSES:
                region.restart()

    def play(self) -> Figures:
        """From the beginning to the end."""
        plan = self._plan
        for number in range(round(plan.duration_s * SECOND_US) // TICK_US):
            now = number * TICK_US
            self._agenda.play(now)
            if number % _RENEW_TICKS == 0:
                at_s = now / SECOND_US
                self._rates = [demand(plan, region, at_s) for region in range(plan.regions)]
            self._tick(now)
        return self._figures()

    def _tick(self, now: int) -> None:
        refill = self._limit * TICK_US / WINDOW_US
        wanted, parts = 0.0, 0
        for number, region in enumerate(self._regions):
            self._owed[number] += self._rates[number] * TICK_US / SECOND_US
            calls = int(self._owed[number])
            self._owed[number] -= calls
            gone = region.tick(calls)
            tokens = calls * self._plan.tokens
            region.least += min(tokens, refill * region.part / WHOLE)
            self._equal += min(tokens, refill / self._plan.regions)
            wanted += tokens
            parts += region.part
            if gone:
                late = self._random.randrange(self._plan.jitter_us // TICK_US + 1) * TICK_US
                self._provider.sent(gone * self._plan.tokens, now + late)
        self._most += min(wanted, refill)
        self._largest = max(self._largest, parts)
        self._provider.tick(now)

    def _figures(self) -> Figures:
        plan, regions = self._plan, self._regions
        whole = self._limit * plan.duration_s * SECOND_US / WINDOW_US / 100
        admitted = sum(region.admitted for region in regions)
        kinds = [trouble.kind for trouble in self._troubles]
        return Figures(
            regions=plan.regions,
            seconds=plan.duration_s,
            arrived=sum(region.arrived for region in regions),
            admitted=admitted,
            over_tokens=self._provider.over,
            used=admitted * plan.tokens / whole,
            least=sum(region.least for region in regions) / whole,
            most=self._most / whole,
            equal=self._equal / whole,
            largest_sum_ppm=self._largest,
            moves=sum(entry.seq for _, parts in self._records.parts.values() for entry in parts.entries.values()),
            cuts=kinds.count(CUT) + kinds.count(AWAY),
            pauses=kinds.count(PAUSED),
            restarts=sum(region.restarts for region in itertools.chain(regions)),
        )
