"""A crowd in front of one URL, played when it is due: the load of every discipline, and of the benches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from tidegate.clock import SystemClock
from tidegate.load.client import connected
from tidegate.load.crowd import Arrival, Member, arrivals
from tidegate.load.driver import Target
from tidegate.load.visits import Crowd, Manners, Visit


@dataclass(frozen=True, slots=True)
class Show:
    """One crowd in front of one URL; of its calls only those that are dealt to `part`, the nth of so many replicas."""

    url: str
    members: Sequence[Member]
    seconds: float
    seed: int = 1
    manners: Manners = field(default_factory=Manners)
    part: tuple[int, int] = (0, 1)


async def perform(show: Show) -> list[Visit]:
    """Play it; returns when the last call has ended."""
    clock = SystemClock()
    with connected(Target(show.url), clock) as transport:
        crowd = Crowd(transport, clock, show.url, show.manners)
        return await crowd.play(dealt(show), clock.now())


def dealt(show: Show) -> Iterator[Arrival]:
    """Its calls. All parts together are the same however many there are; a client of one call keeps its replica."""
    mine, parts = show.part
    for call in arrivals(show.members, show.seconds, show.seed):
        number = crc32(call.member.name.encode()) if show.manners.one_at_a_time else call.number
        if number % parts == mine:
            yield call
