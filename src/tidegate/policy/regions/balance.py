"""Who should have which part: by what each region spends and what waits there. Pure.

The rule is CockroachDB's for distributed token buckets: parts are proportional to a moving average of the demand plus
the backlog, which counts for more the longer it is there, so that a region whose part is small is heard even though it
spends little. Nobody has less than the floor, so that the first call after a silence need not wait for a transfer.
"""

from collections.abc import Mapping
from typing import Final

from tidegate.model.regions import WHOLE

TAU_US: Final = 4_000_000  # of the moving average
CLEAR_US: Final = 10_000_000  # a backlog asks for what clears it in this time
ROOM: Final = 1_200  # thousandths of its demand with which a region is content
LEAST: Final = 10_000  # nobody gives less than a hundredth: it is not worth the messages


class Demand:
    """One region's demand of one quota, as its own node sees it: what was spent lately, and what waits."""

    __slots__ = ("_at", "_backlog", "_rate", "_total", "_waits_since")

    def __init__(self, now: int) -> None:
        self._at = now
        self._rate = 0.0
        self._backlog = 0
        self._total = -1
        self._waits_since = now

    def note(self, spent: int, waits: int, limit: int, window_us: int, now: int) -> None:
        """Since the last note so many units were spent, and so many wait, of a limit of `limit` in `window_us`."""
        elapsed = now - self._at
        if elapsed <= 0 or limit <= 0:
            return
        rate = spent * WHOLE * window_us / (limit * elapsed)
        self._rate += (rate - self._rate) * min(1.0, elapsed / TAU_US)
        if not waits:
            self._waits_since = now
        self._backlog = waits * WHOLE * window_us // (limit * CLEAR_US)
        self._at = now

    def total(self, total: int, waits: int, limit: int, window_us: int, now: int) -> None:
        """As `note`, by all that was spent so far; a total that became smaller begins anew."""
        before, self._total = self._total, total
        self.note(max(0, total - before) if before >= 0 else 0, waits, limit, window_us, now)

    def ppm(self, now: int) -> int:
        """What it would spend, in parts per million of the limit; above the whole where more is wanted than there is.

        A backlog doubles its weight with each `CLEAR_US` for which it has not been cleared, four times at most.
        """
        age = min(4, (now - self._waits_since) // CLEAR_US)
        return round(self._rate) + (self._backlog << age)


def targets(demands: Mapping[str, int], floor_ppm: int) -> dict[str, int]:
    """The parts that fit the demands: at least the floor, else in proportion, all together no more than the whole.

    Where nobody wants anything all have the same. O(regions²), which are few.
    """
    found: dict[str, int] = {}
    rest, open_ = WHOLE, dict(sorted(demands.items()))
    while open_:
        wanted = sum(open_.values())
        least = min(open_, key=lambda name: open_[name])
        part = rest * open_[least] // wanted if wanted else rest // len(open_)
        if part >= floor_ppm:
            break
        found[least] = floor_ppm
        rest -= floor_ppm
        del open_[least]
    wanted = sum(open_.values())
    for name, demand in open_.items():
        found[name] = rest * demand // wanted if wanted else rest // len(open_)
    return found


def content(demands: Mapping[str, int], parts: Mapping[str, int], floor_ppm: int) -> bool:
    """Whether everybody has what it wants, with some room, and its floor: then nothing moves."""
    wanted = ((name, max(floor_ppm, demand * ROOM // 1_000)) for name, demand in demands.items())
    return all(least <= parts.get(name, 0) for name, least in wanted)


def worth(part: int, target: int) -> bool:
    """Whether the difference is worth a transfer."""
    return part - target >= max(LEAST, part // 20)
