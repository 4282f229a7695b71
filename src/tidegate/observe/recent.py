"""The last minutes by the second, for who begins to look: pure, and of a fixed size."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

SECONDS: Final = 300
MOST: Final = 1_000  # lanes
TOTALS: Final = ("calls_per_second", "error_permille", "in_flight", "waiting")  # the first in thousandths

LaneAt = tuple[str, int, int, int]  # provider/scope/model; tokens, requests of its last minute; tokens of it reserved


class Points(NamedTuple):
    """`at_us` in order; every list is as long as it, 0 where nothing was known."""

    at_us: list[int]
    totals: dict[str, list[int]]
    tokens: dict[str, list[int]]
    requests: dict[str, list[int]]
    reserved: dict[str, list[int]]  # of the tokens
    hidden: int  # lanes that are not among them


class Recent:
    """A ring of `SECONDS` points. For one thread at a time."""

    __slots__ = ("_at", "_lanes", "_place", "_seen", "_totals")

    def __init__(self) -> None:
        self._place = -1
        self._at = _ring()
        self._totals = [_ring() for _ in TOTALS]
        self._lanes: dict[str, tuple[array[int], array[int], array[int]]] = {}
        self._seen: dict[str, int] = {}  # when something of it was in use

    def add(self, at_us: int, lanes: Iterable[LaneAt], totals: Sequence[int]) -> None:
        """One second more. A lane of which nothing is in use takes no room after `SECONDS` of them. O(lanes)."""
        self._place += 1
        place = self._place % SECONDS
        self._at[place] = at_us
        for ring, value in zip(self._totals, totals, strict=True):
            ring[place] = value
        for tokens, requests, reserved in self._lanes.values():
            tokens[place] = requests[place] = reserved[place] = 0
        for name, tokens_now, requests_now, reserved_now in lanes:
            rings = self._lanes.get(name)
            if rings is None:
                if not (tokens_now or requests_now) or len(self._lanes) >= MOST:
                    continue
                rings = self._lanes[name] = (_ring(), _ring(), _ring())
            rings[0][place], rings[1][place], rings[2][place] = tokens_now, requests_now, reserved_now
            if tokens_now or requests_now:
                self._seen[name] = self._place
        for name in [name for name, seen in self._seen.items() if seen <= self._place - SECONDS]:
            del self._lanes[name], self._seen[name]

    def points(self, seconds: int, wanted: Collection[str] = (), most: int = MOST) -> Points:
        """So many of the newest. `wanted`: these lanes; else those with the most tokens, at most `most`. O(points)."""
        count = max(0, min(seconds, self._place + 1, SECONDS))
        places = [at % SECONDS for at in range(self._place - count + 1, self._place + 1)]
        lanes = {name: rings for name, rings in self._lanes.items() if not wanted or name in wanted}
        busiest = sorted(lanes, key=lambda name: (-sum(lanes[name][0]), -sum(lanes[name][1]), name))[:most]
        return Points(
            _of(self._at, places),
            {name: _of(ring, places) for name, ring in zip(TOTALS, self._totals, strict=True)},
            {name: _of(lanes[name][0], places) for name in busiest},
            {name: _of(lanes[name][1], places) for name in busiest},
            {name: _of(lanes[name][2], places) for name in busiest},
            len(self._lanes) - len(busiest),
        )


def _ring() -> "array[int]":
    return array("q", bytes(8 * SECONDS))


def _of(ring: "array[int]", places: Sequence[int]) -> list[int]:
    return [ring[place] for place in places]
