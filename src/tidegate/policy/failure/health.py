"""Is a lane open? Limited by a refusal, it opens again with one probe.

States: *open*; *limited* until `not_before`; then the next call is the *probe* and everybody else waits for its
outcome. A success opens the lane, a failure limits it again. After `TRIP_AFTER` failures on end the lane is *tripped*:
calls that have another target skip it until a probe succeeds.

Attempts carry the epoch they began in: of many calls in flight when the provider starts to refuse, only the first
counts as a failure, and an answer to a call sent before the refusal opens nothing. All O(1), and O(watchers) when the
state changes.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

TRIP_AFTER = 3
PROBE_GUESS_US = 1_000_000  # what to predict for a call that waits for a probe's outcome

FIRST_PAUSE_US = 500_000
LONGEST_PAUSE_US = 60_000_000


def pause_us(failures: int) -> int:
    """How long a lane stays closed after so many failures (≥ 1) when the provider named no time."""
    return min(FIRST_PAUSE_US << min(failures - 1, 16), LONGEST_PAUSE_US)


class Watcher(Protocol):
    """Who wants to know when a health changes: that it opened, closed, counted a failure or lost its probe."""

    def refresh(self) -> Mapping[Callable[[], None], None]:
        """Look again. Returns whom to tell when all watchers have looked and calls may pass or not: each once."""


class Health:
    """The state of one lane, or of what several lanes share."""

    __slots__ = ("_watchers", "epoch", "failures", "limited", "not_before", "probing")

    def __init__(self) -> None:
        self._watchers: dict[Watcher, None] = {}
        self.epoch = 0
        self.failures = 0
        self.limited = False
        self.not_before = 0
        self.probing = False

    def watch(self, watcher: Watcher) -> None:
        """Tell it of every change from now on."""
        self._watchers[watcher] = None

    def unwatch(self, watcher: Watcher) -> None:
        """No more. Harmless when it does not watch."""
        self._watchers.pop(watcher, None)

    def _tell(self, *, loud: bool) -> None:
        listeners: dict[Callable[[], None], None] = {}
        for watcher in self._watchers:
            listeners.update(watcher.refresh())
        if loud:
            for listener in listeners:
                listener()

    @property
    def tripped(self) -> bool:
        """Refused on end: to be skipped by whoever can."""
        return self.failures >= TRIP_AFTER

    def blocked(self) -> bool:
        """Only a probe's outcome can help now; no time is known."""
        return self.limited and self.probing

    def wait(self, now: int) -> int:
        """Microseconds until a call may pass; 0 = now (as the probe, when limited)."""
        if not self.limited:
            return 0
        if now < self.not_before:
            return self.not_before - now
        return PROBE_GUESS_US if self.probing else 0

    def enter(self) -> bool:
        """A call passes. True when it is the probe."""
        if self.limited:
            self.probing = True
            return True
        return False

    def succeed(self, epoch: int) -> bool:
        """An attempt of `epoch` was answered. True when that opened the lane."""
        if epoch != self.epoch or (not self.failures and not self.limited):
            return False
        opened = self.limited
        self.failures = 0
        self.limited = self.probing = False
        self._tell(loud=opened)
        return opened

    def fail(self, epoch: int, until: int, *, limit: bool = True) -> None:
        """An attempt of `epoch` failed; the lane is closed until `until` when `limit`, or when it failed on end."""
        counts = epoch == self.epoch
        if counts:
            self.failures += 1
            self.probing = False
            if limit or self.tripped:
                self.limited = True
                self.epoch += 1
        if self.limited and until > self.not_before:
            self.not_before = until
        if counts:
            self._tell(loud=self.limited)

    def hear_closed(self, until: int) -> None:
        """Somebody else was refused: closed until then. It is no failure of an attempt of ours, and counts as none."""
        if not self.limited:
            self.limited = True
            self.epoch += 1
            self.not_before = until
            self._tell(loud=True)
        elif until > self.not_before:
            self.not_before = until
            self._tell(loud=True)

    def hear_open(self) -> None:
        """Somebody else was answered since: open, but for a probe of ours that is under way and will tell."""
        if self.limited and not self.probing:
            self.failures = 0
            self.limited = False
            self._tell(loud=True)

    def abandon(self, *, probe: bool) -> None:
        """An attempt ended without a verdict (the client left): the next call may probe."""
        if probe:
            self.probing = False
            self._tell(loud=True)
