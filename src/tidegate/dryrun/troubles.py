"""What went wrong at providers, as the recorded attempts tell it: it goes wrong for the new policy's attempts as well.

Failures with no success between them are one *spell*: who asks that target within it fails in the same way. Single
failures are drawn as often as they were. Refusals for quota are none of these: the limits of the new policy say who is
over them.
"""

from bisect import bisect_right
from random import Random
from typing import Final, NamedTuple

from tidegate.model.arrivals import Arrival, Asked

_SPELLS: Final = 10_000  # of one target; what is beyond them counts as single failures
_TARGETS: Final = 5_000
_SERVED: Final = 400
# Not the provider's: answered, what the gate or the client did, quota, and faults of the request.
_NO_TROUBLE: Final = frozenset({"", "lost", "stopped", "cut", "rate", "too_large", "fatal", "policy"})
FAULTS: Final = frozenset({"fatal", "policy"})  # of the request: it is refused wherever it goes


class Failed(NamedTuple):
    """How an attempt fails: the status that the provider answers, 0 = none."""

    status: int
    reason: str


class _Target:
    __slots__ = ("_open", "_open_us", "_run", "asked", "failed", "how", "spells")

    def __init__(self) -> None:
        self.asked = self.failed = 0
        self.how: Failed | None = None  # the last single one
        self.spells: list[tuple[int, int, Failed]] = []  # from, to
        self._open_us = self._run = 0
        self._open: tuple[int, Failed] | None = None

    def note(self, at_us: int, failed: Failed | None) -> None:
        self.asked += 1
        if failed is None:
            self._end()
        elif self._open is None:
            self._open, self._open_us, self._run = (at_us, failed), at_us, 1
        else:
            self._open_us, self._run = at_us, self._run + 1

    def _end(self) -> None:
        """A success came: what failed in a row before it was a spell, or a single failure."""
        if self._open is None:
            return
        began, how = self._open
        if self._run > 1 and len(self.spells) < _SPELLS:
            self.spells.append((began, self._open_us, how))
        else:
            self.failed += self._run
            self.how = how
        self._open = None

    def close(self) -> None:
        self._end()
        self.spells.sort()


class Troubles:
    """By provider, scope and model."""

    __slots__ = ("_targets",)

    def __init__(self) -> None:
        self._targets: dict[tuple[str, str, str], _Target] = {}

    def learn(self, arrival: Arrival) -> None:
        """What its attempts say, in the order of arrivals. O(attempts)."""
        if arrival.hit or (arrival.job and not arrival.provider and not arrival.tries):
            return
        if not arrival.tries:
            if arrival.provider and 0 < arrival.status < _SERVED:
                self._note((arrival.provider, arrival.scope, arrival.served), arrival.at_us + arrival.queued_us, None)
            return
        for one in arrival.tries:
            self._note((one.provider, one.scope, one.model), arrival.at_us + one.after_us, _failure(one))

    def _note(self, target: tuple[str, str, str], at_us: int, failed: Failed | None) -> None:
        known = self._targets.get(target)
        if known is None:
            if len(self._targets) >= _TARGETS:
                return
            known = self._targets[target] = _Target()
        known.note(at_us, failed)

    def close(self) -> None:
        """All have been learnt."""
        for target in self._targets.values():
            target.close()

    @property
    def spells(self) -> int:
        """How many there were."""
        return sum(len(target.spells) for target in self._targets.values())

    def at(self, provider: str, scope: str, model: str, wall: int, luck: Random) -> Failed | None:
        """How an attempt fails that leaves now; None: it does not. O(log spells)."""
        target = self._targets.get((provider, scope, model))
        if target is None:
            return None
        after = bisect_right(target.spells, wall, key=_began) - 1
        if after >= 0:
            _, end, how = target.spells[after]
            if wall <= end:
                return how
        if target.failed and target.how is not None and luck.random() * target.asked < target.failed:
            return target.how
        return None


def fault_of(arrival: Arrival) -> Failed | None:
    """Why its request is refused wherever it goes, None: it is not."""
    for one in arrival.tries:
        if one.reason in FAULTS:
            return Failed(one.status, one.reason)
    return None


def _failure(one: Asked) -> Failed | None:
    return None if one.reason in _NO_TROUBLE else Failed(one.status, one.reason)


def _began(spell: tuple[int, int, Failed]) -> int:
    return spell[0]
