"""Which rule refused whom, and when: episodes, with how many of the calls had been answered."""

from typing import Final, NamedTuple

from tidegate.dryrun.outcome import ANSWERED, GONE, HIT, Outcome
from tidegate.model.arrivals import Arrival

_APART_US: Final = 600_000_000  # without a refusal, and the next one begins another episode
_MOST: Final = 2_000  # of rules and namespaces
_EACH: Final = 8  # episodes; the last one takes the rest
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
        if not episodes or (arrival.at_us - episodes[-1].last_us > _APART_US and len(episodes) < _EACH):
            episodes.append(Episode(arrival.at_us))
        last = episodes[-1]
        last.first_us = min(last.first_us, arrival.at_us)
        last.last_us = max(last.last_us, arrival.at_us)
        last.calls += 1
        last.answered += before in {ANSWERED, HIT, GONE}
