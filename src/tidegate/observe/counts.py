"""Counters in the making: what the observer adds to on the path, until a report asks for their meters.

Compiled, their fields are plain machine integers; those of a msgspec struct are looked up by name, each time.
"""

from bisect import bisect_left
from typing import Final

from tidegate.observe.meters import BOUNDS_US, CallMeter, Histogram

_BOUNDS: Final[tuple[int, ...]] = BOUNDS_US
_CLASSES: Final = 6  # of statuses, by first digit; 0 = lost
_place: Final = bisect_left


def bucket_of(duration_us: int) -> int:
    """The first bucket whose bound `duration_us` does not exceed. O(log buckets)."""
    return _place(_BOUNDS, duration_us)


class Durations:
    """A histogram that is being filled."""

    __slots__ = ("_counts", "_total_us")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._total_us = 0

    def put(self, bucket: int, duration_us: int) -> None:
        """Count one duration, which `bucket_of` has placed."""
        self._counts[bucket] += 1
        self._total_us += duration_us

    def histogram(self) -> Histogram:
        """As it stands. The counts are shared, not copied: encode them before more is added."""
        return Histogram(self._counts, self._total_us)


class CallCount:
    """Calls of one plan that one target answered, as `meters.CallMeter`."""

    __slots__ = (
        "_by_class", "_model", "_plan", "_provider", "_scope", "cached_tokens", "charged_tokens", "completion_tokens",
        "duration", "estimated", "first_byte", "prompt_tokens", "queued", "retried", "streamed",
    )  # fmt: skip

    def __init__(self, plan: str, model: str, provider: str, scope: str) -> None:
        self._plan = plan
        self._model = model
        self._provider = provider
        self._scope = scope
        self._by_class = [0] * _CLASSES
        self.streamed = 0
        self.estimated = 0
        self.retried = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cached_tokens = 0
        self.charged_tokens = 0
        self.queued = Durations()
        self.first_byte = Durations()
        self.duration = Durations()

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return self._model

    def status(self, status: int) -> None:
        """Count one call by the class of its status."""
        self._by_class[status // 100 if status < 600 else 5] += 1

    def meter(self) -> CallMeter:
        """As it stands; to be encoded before more is counted."""
        return CallMeter(
            self._plan,
            self._model,
            self._provider,
            self._scope,
            self._by_class,
            self.streamed,
            self.estimated,
            self.retried,
            self.prompt_tokens,
            self.completion_tokens,
            self.cached_tokens,
            self.charged_tokens,
            self.queued.histogram(),
            self.first_byte.histogram(),
            self.duration.histogram(),
        )
