"""Which rule refused whom, and when: episodes, with how many of the calls had been answered.

Calls come in the order of time, and that more than once: each play has its own.
"""

from typing import Final, NamedTuple

from tidegate.dryrun.outcome import ANSWERED, GONE, HIT, Outcome
from tidegate.model.arrivals import Arrival

_APART_US: Final = 600_000_000  # without a refusal, and the next one begins another episode
_MOST: Final = 2_000  # of rules and namespaces
_EACH: Final = 8  # episodes; then the nearest takes what is far from all
_OTHER: Final = "(other rules)"


class Episode:
    """Refusals by one rule, close to each other. Moments since 1970, in microseconds."""

    __slots__ = ("answered", "calls", "first_us", "last_us")

    def __init__(self, at_us: int) -> None:
        self.first_us = self.last_us = at_us
        self.calls = self.answered = 0


class Key(NamedTuple):
    """Whose calls which rule refused."""

    rule: str
    why: str
    namespace: str


class Episodes:
    """All of one policy's."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[Key, list[Episode]] = {}

    def add(self, arrival: Arrival, outcome: Outcome, before: str) -> None:
        """One more refusal; `before` is how the call had ended. O(1)."""
        key = Key(outcome.rule, outcome.why, arrival.namespace)
        if key not in self.found and len(self.found) >= _MOST:
            key = Key(_OTHER, "", "")
        episodes = self.found.setdefault(key, [])
        one = _near(episodes, arrival.at_us)
        if one is None:
            one = Episode(arrival.at_us)
            episodes.append(one)
            episodes.sort(key=_first_us)
        one.first_us, one.last_us = min(one.first_us, arrival.at_us), max(one.last_us, arrival.at_us)
        one.calls += 1
        one.answered += before in {ANSWERED, HIT, GONE}
        _join(episodes)


def _near(episodes: list[Episode], at_us: int) -> Episode | None:
    """The one that the moment belongs to; the nearest, where there are enough."""

    def apart(one: Episode) -> int:
        return max(one.first_us - at_us, at_us - one.last_us, 0)

    found = min(episodes, key=apart, default=None)
    return found if found is not None and (apart(found) <= _APART_US or len(episodes) >= _EACH) else None


def _join(episodes: list[Episode]) -> None:
    """What a call between two has brought together."""
    for at in range(len(episodes) - 1, 0, -1):
        one, later = episodes[at - 1], episodes[at]
        if later.first_us - one.last_us <= _APART_US:
            one.last_us = max(one.last_us, later.last_us)
            one.calls += later.calls
            one.answered += later.answered
            del episodes[at]


def _first_us(one: Episode) -> int:
    return one.first_us
