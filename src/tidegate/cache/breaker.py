"""Whether a layer is left alone: after three failures on end, for a while, then one call is the probe.

It is `policy/failure/health.py` with one more rule: calls that were under way together fail together, once. So a
stall of a moment, however many calls it meets, does not put out a layer that is well.
"""

from typing import Final, NamedTuple

from tidegate.policy.failure.health import Health, pause_us

LONGEST_PAUSE_US: Final = 5_000_000


class Try(NamedTuple):
    """One call to a layer."""

    began: int
    epoch: int
    probe: bool


class Breaker:
    """Of a layer's reads, or of its writes. Moments are monotonic microseconds; all is O(1)."""

    __slots__ = ("_failed_at", "_health")

    def __init__(self) -> None:
        self._health = Health()
        self._failed_at = -1

    @property
    def out(self) -> bool:
        """It is left alone, or a probe is under way."""
        return self._health.limited

    def closed(self, now: int) -> bool:
        """No call may pass now."""
        return self._health.wait(now) > 0

    def enter(self, now: int) -> Try:
        """A call passes: for `succeed`, `fail` or `abandon`."""
        return Try(now, self._health.epoch, self._health.enter())

    def succeed(self, one: Try) -> None:
        """The layer answered."""
        self._health.succeed(one.epoch)

    def fail(self, one: Try, now: int) -> None:
        """It did not."""
        if one.began < self._failed_at and not one.probe:
            return
        self._failed_at = now
        pause = pause_us(self._health.failures + 1)
        self._health.fail(one.epoch, now + (pause if pause < LONGEST_PAUSE_US else LONGEST_PAUSE_US), limit=False)

    def abandon(self, one: Try) -> None:
        """Nobody knows: its caller left, or had no time."""
        self._health.abandon(probe=one.probe)
