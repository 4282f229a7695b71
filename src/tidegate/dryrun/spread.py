"""Figures of several plays: their means, and how far plays lie from each other.

Sums and sums of squares are whole numbers, so that plays that are the same have no spread at all, in whichever order
they come.
"""

from collections import Counter
from math import hypot, sqrt
from typing import Final

import msgspec

from tidegate.dryrun.outcome import FAILED, GONE, HIT, REFUSED, UNSEEN
from tidegate.dryrun.report import Figures, Group, Spread
from tidegate.dryrun.tally import GROUPS, Sums, Tally

_TIMES: Final = frozenset({"wait_mean_ms", "wait_p95_ms", "wait_p99_ms"})
_COUNTS: Final = tuple(name for name in Figures.__struct_fields__ if name != "refusals")
_SPREAD: Final = tuple(name for name in Spread.__struct_fields__ if name != "refusals")
_UNSURE: Final = 2.0  # times what two draws differ by


class _Plays:
    """Sums over plays of one group: of each figure, and of its square."""

    __slots__ = ("_squares", "_sums", "_why_squares", "_whys")

    def __init__(self) -> None:
        self._sums = [0] * len(_COUNTS)
        self._squares = [0] * len(_COUNTS)
        self._whys: Counter[str] = Counter()
        self._why_squares: Counter[str] = Counter()

    def add(self, sums: Sums) -> None:
        for at, value in enumerate(_values(sums)):
            self._sums[at] += value
            self._squares[at] += value * value
        for why, count in sums.whys.items():
            self._whys[why] += count
            self._why_squares[why] += count * count

    def mean(self, plays: int) -> Figures:
        found: dict[str, object] = {
            name: total / plays / 1_000 if name in _TIMES else _rounded(total, plays)
            for name, total in zip(_COUNTS, self._sums, strict=True)
        }
        found["refusals"] = {why: _rounded(self._whys[why], plays) for why in sorted(self._whys)}
        return msgspec.convert(found, Figures)

    def spread(self, plays: int) -> Spread:
        if plays < 2:
            return Spread()
        every = zip(_COUNTS, self._sums, self._squares, strict=True)
        found = {name: _deviation(total, square, plays) for name, total, square in every}
        whys = {why: _deviation(self._whys[why], self._why_squares[why], plays) for why in sorted(self._whys)}
        by = {name: found[name] / 1_000 if name in _TIMES else found[name] for name in _SPREAD}
        return Spread(
            refusals={why: round(one, 3) for why, one in whys.items() if one},
            **{name: round(one, 3) for name, one in by.items() if one},
        )


class Means:
    """One policy's plays, group by group. Bounded, as tallies are."""

    __slots__ = ("_groups", "plays")

    def __init__(self) -> None:
        self.plays = 0
        self._groups: dict[tuple[str, str], _Plays] = {}

    def add(self, tally: Tally) -> None:
        """One more play. O(groups)."""
        self.plays += 1
        for by in GROUPS:
            for name, sums in tally.by(by).items():
                self._groups.setdefault((by, name), _Plays()).add(sums)

    def names(self, by: str) -> list[str]:
        """Of the groups of this kind."""
        return [name for kind, name in self._groups if kind == by]

    def of(self, by: str, name: str) -> tuple[Figures, Spread]:
        """The mean of a group, and its standard deviation from play to play; a play without it counts as nothing."""
        found = self._groups.get((by, name), _Plays())
        return found.mean(max(1, self.plays)), found.spread(self.plays)


def figures(sums: Sums) -> Figures:
    """Of one play, or of what was recorded."""
    one = _Plays()
    one.add(sums)
    return one.mean(1)


def groups(before: Means, after: Means, *, drawn: bool) -> tuple[Group, ...]:
    """Beside each other: all calls first, then the largest groups of each kind.

    `drawn`: what stands before was played; else it was recorded, which is one draw, too, of what is taken to scatter as
    the plays do.
    """
    found: list[Group] = []
    for by in GROUPS:
        made = []
        for name in dict.fromkeys((*before.names(by), *after.names(by))):
            was, now = before.of(by, name), after.of(by, name)
            doubt = unsure(was if drawn else (was[0], now[1]), now)
            made.append(Group(by, name, was[0], now[0], was[1], now[1], doubt))
        found += sorted(made, key=_largest)
    return tuple(found)


def unsure(before: tuple[Figures, Spread], after: tuple[Figures, Spread]) -> tuple[str, ...]:
    """The figures whose change is no larger than what chance makes of the same calls."""
    (was, was_by), (now, now_by) = before, after
    found = []
    for name in _SPREAD:
        change = abs(getattr(now, name) - getattr(was, name))
        if 0 < change <= _UNSURE * hypot(getattr(was_by, name), getattr(now_by, name)):
            found.append(name)
    return tuple(found)


def _values(sums: Sums) -> tuple[int, ...]:
    """In the order of `Figures`; times in microseconds."""
    waits = sums.waits
    return (
        sums.calls, sums.served, sums.ends[HIT], sums.ends[REFUSED], sums.ends[FAILED], sums.ends[GONE],
        sums.ends[UNSEEN], waits.count, waits.mean, waits.quantile(950), waits.quantile(990), sums.paused,
        sums.degraded, sums.moved, sums.throttled, sums.attempts, sums.prompt, sums.completion, sums.cost_nano,
    )  # fmt: skip


def _largest(one: Group) -> tuple[int, str]:
    return -max(one.before.calls, one.after.calls), one.name


def _rounded(total: int, plays: int) -> int:
    return (2 * total + plays) // (2 * plays)


def _deviation(total: int, square: int, plays: int) -> float:
    """The standard deviation of one play, by all of them."""
    return sqrt(max(0, plays * square - total * total) / (plays * (plays - 1)))
