"""Many tenants at once: who sends how much, and when each call is due. Pure and seeded.

Every tenant's arrivals are a Poisson process of their own, drawn from the seed and the tenant's name, so that adding a
tenant changes nobody else's calls. A tenant may pause: all with the same `on_s` and `off_s` send and rest together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from random import Random
from zlib import crc32

from tidegate.units import SECOND_US


@dataclass(frozen=True, slots=True)
class Member:
    """One tenant's traffic: `rate` calls a second while it is on, `off_s` 0 = always. Costs are tokens.

    A call asks for `max_tokens`, drawn evenly from `tokens` · (1 ± `spread`); `key` is what it presents.
    """

    name: str
    key: str
    rate: float
    tokens: int = 2_000
    spread: float = 0.0
    on_s: float = 0.0
    off_s: float = 0.0
    deadline_ms: int = 0
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call: when it is due (microseconds after the start), whose, the tenant's how manyth, and its tokens."""

    at_us: int
    member: Member
    number: int
    tokens: int

    @property
    def user(self) -> str:
        """What tells the call from all others, for the provider's log."""
        return f"{self.member.name}/{self.number}"


def arrivals(members: Iterable[Member], seconds: float, seed: int) -> Iterator[Arrival]:
    """The calls of all members in the order in which they are due. O(log members) a call."""
    rows = (_of(member, seconds, Random(seed ^ crc32(member.name.encode()))) for member in members if member.rate > 0)
    return merge(*rows, key=_when)


def _when(arrival: Arrival) -> int:
    return arrival.at_us


def _of(member: Member, seconds: float, random: Random) -> Iterator[Arrival]:
    busy, number = 0.0, 0  # `busy`: seconds of sending so far
    while True:
        busy += random.expovariate(member.rate)
        at = busy
        if member.off_s:
            at += int(busy / member.on_s) * member.off_s
        if at >= seconds:
            return
        tokens = round(member.tokens * (1 + member.spread * random.uniform(-1, 1)))
        yield Arrival(int(at * SECOND_US), member, number, max(1, tokens))
        number += 1
