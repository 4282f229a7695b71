"""Which calls said the same: a client that was refused and comes back, as the gate knows it by its body's hash.

The ledger keeps no hash of what was said. Calls of a key that are alike in all that it does keep are taken to have said
the same, where that is likely: where such a call follows a refusal much more often than it follows an answer. A key
whose calls are all of one size, or whose clients never come back, has no such calls.
"""

from hashlib import blake2b
from typing import Final

from tidegate.dryrun.outcome import REFUSED, recorded
from tidegate.model.arrivals import Arrival

_KEYS: Final = 5_000  # that are told apart
_LATELY: Final = 50_000  # calls of which it is known how they ended
_BACK_US: Final = 60_000_000  # who comes later is somebody else
_OFTEN: Final = 4  # times as often after refusals as after answers
_FEW: Final = 8  # of so many refusals one at least was of a client that came back


class _Habit:
    """What followed the calls of one key: how many were refused and how many not, and how many came again."""

    __slots__ = ("answered", "refused", "repeated", "returned")

    def __init__(self) -> None:
        self.refused = self.returned = 0
        self.answered = self.repeated = 0

    @property
    def returns(self) -> bool:
        """Whether who is refused comes back, as far as sizes tell."""
        by_chance = self.refused * (self.repeated + 1)  # over all answers: as sizes that follow answers have it
        return self.returned * (self.answered + 1) > _OFTEN * by_chance and self.returned * _FEW > self.refused


class Bodies:
    """Learns from all arrivals, then says of each what it said, as a mark."""

    __slots__ = ("_habits", "_last")

    def __init__(self) -> None:
        self._habits: dict[str, _Habit] = {}
        self._last: dict[bytes, tuple[int, bool]] = {}  # when such a call came last, and whether it was refused

    def learn(self, arrival: Arrival) -> None:
        """One more, in the order of arrivals. Amortised O(1)."""
        if not arrival.request_bytes or arrival.hit or arrival.job:
            return
        who = _who(arrival)
        habit = self._habits.get(who)
        if habit is None:
            if len(self._habits) >= _KEYS:
                return
            habit = self._habits[who] = _Habit()
        refused = recorded(arrival).end == REFUSED
        habit.refused += refused
        habit.answered += not refused
        alike = _alike(arrival)
        at_us, was_refused = self._last.pop(alike, (-_BACK_US, False))
        if arrival.at_us - at_us < _BACK_US:
            habit.returned += was_refused
            habit.repeated += not was_refused
        self._last[alike] = arrival.at_us, refused
        if len(self._last) > _LATELY:
            del self._last[next(iter(self._last))]

    def close(self) -> None:
        """All have been learnt."""
        self._last.clear()

    @property
    def returning(self) -> int:
        """Keys whose clients come back."""
        return sum(habit.returns for habit in self._habits.values())

    def of(self, arrival: Arrival) -> bytes:
        """The same for all that are taken to have said the same; empty: nobody else said what this call did. O(1)."""
        if not arrival.request_bytes:
            return b""
        habit = self._habits.get(_who(arrival))
        return _alike(arrival) if habit is not None and habit.returns else b""


def _who(arrival: Arrival) -> str:
    return arrival.key or arrival.namespace


def _alike(arrival: Arrival) -> bytes:
    one = arrival
    told = (one.namespace, one.key, one.user, one.model, one.tag, one.streamed, one.request_bytes, one.most_tokens)
    return blake2b(repr(told).encode(), digest_size=8).hexdigest().encode()
