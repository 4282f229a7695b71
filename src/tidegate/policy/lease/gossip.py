"""What one worker has just learnt of a provider, for the others: that something is refused and until when, or is good.

Best effort: who does not hear it learns it from the provider, as it would alone. Of what is closed by hearsay the
first probe is left to who was refused: the others open a little later (`GRACE_US`, each at another moment), and hear
meanwhile how it went. What is spoken of is the same at all workers: a scope's credential, a provider's model, a lane.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health

GRACE_US: Final = 1_000_000  # at most; at least a quarter of it
OPEN: Final = -1
LONGEST_US: Final = 3_600_000_000

Told = Callable[[str, int], None]  # of what, and for how long it is closed (microseconds), `OPEN` = it is good


class Lane(Protocol):
    """A lane, as far as it is spoken of."""

    @property
    def key(self) -> str:
        """`SERVICE/CREDENTIALS/MODEL`: the same at every worker that has this configuration."""

    @property
    def breaker(self) -> Breaker:
        """Its health, its scope's and its model's."""


class Ear:
    """Hears one health's changes. O(1) a change, and nothing a call."""

    __slots__ = ("_closed", "_gossip", "_until", "health", "name")

    def __init__(self, name: str, health: Health, gossip: "Gossip") -> None:
        self.name = name
        self.health = health
        self._gossip = gossip
        self._closed = health.limited
        self._until = health.not_before

    def refresh(self) -> Mapping[Callable[[], None], None]:
        """It changed. What was heard is not told again."""
        closed, until = self.health.limited, self.health.not_before
        if closed == self._closed and (not closed or until == self._until):
            return {}
        self._closed, self._until = closed, until
        self._gossip.changed(self)
        return {}


class Gossip:
    """One a worker. `follow` after each configuration, `hear` for each word of another worker."""

    __slots__ = ("_ears", "_hearing", "_luck", "_now", "_tell")

    def __init__(self, tell: Told, now: Callable[[], int], luck: Callable[[], float]) -> None:
        """`now`: monotonic microseconds; `luck` gives uniform numbers in [0, 1)."""
        self._tell = tell
        self._now = now
        self._luck = luck
        self._ears: dict[str, Ear] = {}
        self._hearing = False

    def follow(self, lanes: Iterable[Lane]) -> None:
        """Speak of these lanes, and of no others. O(lanes)."""
        ears: dict[str, Ear] = {}
        for lane in lanes:
            service, credentials, model = lane.key.split("/", 2)
            names = (f"s/{service}/{credentials}", f"m/{service}/{model}", f"l/{lane.key}")
            for name, health in zip(names, lane.breaker.healths, strict=True):
                if name not in ears:
                    ears[name] = self._ear(name, health)
        for name, ear in self._ears.items():
            if ears.get(name) is not ear:
                ear.health.unwatch(ear)
        self._ears = ears

    def _ear(self, name: str, health: Health) -> Ear:
        ear = self._ears.get(name)
        if ear is None or ear.health is not health:
            ear = Ear(name, health, self)
            health.watch(ear)
        return ear

    def changed(self, ear: Ear) -> None:
        """Something is closed for another time, or is open."""
        if not self._hearing:
            wait_us = max(0, ear.health.not_before - self._now()) if ear.health.limited else OPEN
            self._tell(ear.name, wait_us)

    def hear(self, name: str, wait_us: int) -> None:
        """Another worker's word. Of what is unknown here nothing is kept. O(watchers)."""
        ear = self._ears.get(name)
        if ear is None:
            return
        self._hearing = True
        try:
            if wait_us < 0:
                ear.health.hear_open()
            else:
                grace = GRACE_US // 4 + int(self._luck() * GRACE_US * 3 / 4)
                ear.health.hear_closed(self._now() + min(wait_us, LONGEST_US) + grace)
        finally:
            self._hearing = False
