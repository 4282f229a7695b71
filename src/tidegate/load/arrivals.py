"""Made-up arrivals: a Poisson process whose rate swings between calm and rush, for the demo."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tidegate.load.trace import TraceRow
from tidegate.units import SECOND_US


@dataclass(frozen=True, slots=True)
class Rush:
    """How often calls arrive: `calm` and `busy` are calls per second; each `period_s` begins with `busy_s` of rush.

    The first rush lasts `opening_s` where that is longer.
    """

    calm: float
    busy: float
    period_s: float
    busy_s: float
    opening_s: float = 0.0

    def rate(self, at_us: int) -> float:
        """Calls per second at a moment (microseconds after the start)."""
        at = at_us / SECOND_US
        return self.busy if at % self.period_s < self.busy_s or at < self.opening_s else self.calm


def poisson_rows(rush: Rush, seed: int, *, mean_context: int = 600, mean_generated: int = 120) -> Iterator[TraceRow]:
    """Rows without end. Sizes are log-normal around the given means, as in the traces we know.

    A rate that changes is drawn by thinning (Lewis and Shedler, 1979): candidates at the highest rate, kept in
    proportion to the rate of their moment.
    """
    random = Random(seed)
    highest = max(rush.calm, rush.busy)
    at = 0.0
    while True:
        at += random.expovariate(highest) * SECOND_US
        if random.random() * highest < rush.rate(int(at)):
            yield TraceRow(int(at), _size(random, mean_context), _size(random, mean_generated))


def _size(random: Random, mean: int, sigma: float = 0.8) -> int:
    return max(1, int(mean * random.lognormvariate(-sigma * sigma / 2, sigma)))
