"""When which tenant calls, and how large its calls are: the same for every scheduler that is compared.

Each group draws from a generator of its own, so that nothing that happens at the gate changes what comes next.
"""

from collections.abc import Iterable, Iterator
from math import exp, log
from random import Random
from typing import NamedTuple

from tidegate.load.trace import TraceRow
from tidegate.simulate.scenario import Pattern, Point, Size
from tidegate.simulate.tenants import Party
from tidegate.units import SECOND_US


class Arrival(NamedTuple):
    """A call to come: `tenant` counts within its party; `most` is its `max_tokens`, `output` what it will produce."""

    at: int
    party: Party
    tenant: int
    prompt: int
    output: int
    most: int


class Sizes:
    """Draws of a `Size`."""

    __slots__ = ("_most", "_mu", "_sigma")

    def __init__(self, size: Size) -> None:
        self._most = size.most
        self._sigma = size.sigma
        self._mu = log(size.mean) - size.sigma * size.sigma / 2

    def draw(self, random: Random) -> int:
        """At least 1."""
        drawn = int(exp(random.gauss(self._mu, self._sigma)) if self._sigma else exp(self._mu) + 0.5)
        return min(max(1, drawn), self._most)


def arrivals(party: Party, seed: int, end_us: int) -> Iterator[Arrival]:
    """All calls of a group before `end_us`, in order of time."""
    random = Random(f"{seed} {party.group.name}")
    group = party.group
    prompts, outputs = Sizes(group.prompt), Sizes(group.output)
    most = group.output.most if group.output.most < Size().most else 0
    for at, tenant in _moments(party, random, end_us):
        output = outputs.draw(random)
        yield Arrival(at, party, tenant, prompts.draw(random), output, most or output)


def replayed(rows: Iterable[TraceRow], everybody: list[Party], seed: int) -> Iterator[Arrival]:
    """The calls of a trace, each by a tenant that is drawn from all groups by how often they call."""
    random = Random(f"{seed} trace")
    rates = [party.group.pattern.rate for party in everybody]
    for row in rows:
        party = random.choices(everybody, rates)[0] if len(everybody) > 1 else everybody[0]
        output = max(1, row.generated_tokens)
        yield Arrival(row.at_us, party, party.pick(random), max(1, row.context_tokens), output, output)


def _moments(party: Party, random: Random, end_us: int) -> Iterator[tuple[int, int]]:
    pattern = party.group.pattern
    start, stop = int(pattern.from_s * SECOND_US), min(end_us, int(pattern.to_s * SECOND_US))
    if pattern.kind == "steady":
        return _steady(party, random, start, stop)
    return _random(party, random, start, stop)


def _steady(party: Party, random: Random, start: int, stop: int) -> Iterator[tuple[int, int]]:
    step = SECOND_US / party.group.pattern.rate
    phase, count = random.random(), len(party.tenants)
    number = 0
    while (at := start + int((number + phase) * step)) < stop:
        yield at, number % count
        number += 1


def _random(party: Party, random: Random, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """A Poisson process whose rate changes, by thinning (Lewis and Shedler, 1979): drawn at the highest rate."""
    pattern = party.group.pattern
    highest = pattern.rate * max((point.rate for point in pattern.points), default=1.0)
    constant = pattern.kind == "poisson"
    mean, at = highest / SECOND_US, float(start)
    while (at := at + random.expovariate(mean)) < stop:
        if constant or random.random() * highest < rate_at(pattern, (at - start) / SECOND_US):
            yield int(at), party.pick(random)


def rate_at(pattern: Pattern, after_s: float) -> float:
    """Calls per second so long after the pattern began. O(points)."""
    if pattern.kind == "on_off":
        return pattern.rate if after_s % (pattern.on_s + pattern.off_s) < pattern.on_s else 0.0
    if pattern.kind == "curve":
        return pattern.rate * _drawn(pattern.points, after_s)
    return pattern.rate


def _drawn(points: tuple[Point, ...], at: float) -> float:
    before = points[0]
    for point in points:
        if point.at_s > at:
            span = point.at_s - before.at_s
            return before.rate + (point.rate - before.rate) * (at - before.at_s) / span if span else before.rate
        before = point
    return before.rate
