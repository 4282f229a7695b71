"""What is played: how many regions, what they are asked for, how far they are from the store, and what breaks when."""

import math
from random import Random
from typing import Final, NamedTuple

WINDOW_US: Final = 1_000_000  # of the provider's bucket: one second of its rate, so that little is forgiven
TICK_US: Final = 10_000  # calls that arrive within one are decided together

CUT: Final = "cut off the store"
AWAY: Final = "the store is away"
PAUSED: Final = "the process that keeps the part is paused"
FORGETS: Final = "restarts without memory"
LOSES: Final = "the store loses its records"


class Trouble(NamedTuple):
    """Something that breaks between two moments, seconds; `region` -1 = for all."""

    kind: str
    region: int
    first_s: float
    last_s: float


class Plan(NamedTuple):
    """Everything that a run needs beside its seed."""

    regions: int = 10
    calls_per_s: int = 100_000  # of all regions together
    quota_per_s: int = 70_000  # calls that the provider admits in the long run
    tokens: int = 1_000  # of a call
    duration_s: float = 600.0
    lease_us: int = 10_000_000
    beat_us: int = 1_000_000
    floor_ppm: int = 10_000
    patience_s: float = 2.0  # a call that waits longer leaves
    jitter_us: int = 30_000
    lost_permille: int = 10  # of messages
    drift_permille: int = 5  # clocks run so much too fast or too slow
    troubled: bool = True  # links, processes and the store fail


def troubles(plan: Plan, random: Random) -> list[Trouble]:
    """Every region is cut off, paused and restarted; the store goes away, and loses everything, once."""
    kinds = ((CUT, 25.0), (PAUSED, 15.0), (FORGETS, 0.0))
    found = []
    for region in range(plan.regions):
        for kind, seconds in kinds:
            first = random.uniform(30.0, max(31.0, plan.duration_s - 60.0))
            found.append(Trouble(kind, region, first, first + seconds * random.uniform(0.2, 1.5)))
    away, loses = plan.duration_s * 0.45, plan.duration_s * 0.75
    found += [Trouble(AWAY, -1, away, away + 14.0), Trouble(LOSES, -1, loses, loses)]
    return sorted(found, key=lambda one: one.first_s)


def distances(plan: Plan, random: Random) -> list[int]:
    """Round trips from each region to the store, microseconds: from the next street to the other side of the earth."""
    return [
        random.randrange(2_000, 20_000) if n < 2 else random.randrange(60_000, 320_000) for n in range(plan.regions)
    ]


def demand(plan: Plan, region: int, at_s: float) -> float:
    """Calls a second that a region is asked for: the day goes round, and a few have most of it."""
    turn = at_s / plan.duration_s * 2 * math.pi
    weights = [_weight(plan, other, turn) for other in range(plan.regions)]
    return plan.calls_per_s * weights[region] / sum(weights)


def _weight(plan: Plan, region: int, turn: float) -> float:
    daylight = 1 + math.cos(turn - 2 * math.pi * region / plan.regions)
    return (0.05 + daylight**2) / (1 + region % 3)
