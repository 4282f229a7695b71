"""What the arrivals say of themselves: read once, before anything is played."""

from collections.abc import Iterable
from random import Random

from tidegate.dryrun.bodies import Bodies
from tidegate.dryrun.outcome import recorded
from tidegate.dryrun.shapes import Shapes
from tidegate.dryrun.tally import Tally
from tidegate.dryrun.troubles import Troubles
from tidegate.model.arrivals import Arrival
from tidegate.model.snapshot import Snapshot


class Past:
    """Sizes and times, failures, who said the same, and what became of all."""

    __slots__ = ("bodies", "first_us", "last_us", "shapes", "tally", "troubles")

    def __init__(self, arrivals: Iterable[Arrival], snapshots: Iterable[Snapshot], seed: int) -> None:
        """O(arrivals); `snapshots` say by which rule providers charge, the later before the earlier."""
        profiles = {one.name: one.profile for snapshot in snapshots for one in snapshot.providers}
        self.shapes, self.troubles, self.tally = Shapes(profiles, Random(seed)), Troubles(), Tally()
        self.bodies = Bodies()
        self.first_us = self.last_us = 0
        for arrival in arrivals:
            self.shapes.learn(arrival)
            self.troubles.learn(arrival)
            self.bodies.learn(arrival)
            self.tally.add(arrival, recorded(arrival))
            self.first_us = self.first_us or arrival.at_us
            self.last_us = arrival.at_us
        self.troubles.close()
        self.bodies.close()
