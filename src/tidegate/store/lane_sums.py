"""What a batch of facts adds to the minutes and hours of lanes. Pure; O(1) a fact and attempt.

An attempt counts in the minute in which it left, since that is when its provider's limiter takes it; what was reserved
for it likewise. A call counts in the minute in which it ended, at the lane of its last attempt.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.model.facts import LEFT, CallRecord, Intent, Try
from tidegate.store.rows import Row, name, parts
from tidegate.store.sums import Words
from tidegate.units import MINUTE_US

MINUTES: Final = 60  # of an hour
_FAILED: Final = 400
_THROTTLED: Final = 429
_RATE: Final = "rate"


_Place = tuple[int, str, str]  # a minute, of a target, or of what was asked for where nobody was tried


class LaneSums:
    """Adds up one batch."""

    __slots__ = ("_found", "_words")

    NAMES: Final = (
        "calls", "errors", "attempts", "throttled", "refused", "queued_us", "prompt_tokens", "completion_tokens",
        "charged_tokens", "reserved_tokens",
    )  # fmt: skip

    def __init__(self, words: Words) -> None:
        self._words = words
        self._found: dict[_Place, list[int]] = {}

    def called(self, of: CallRecord) -> None:
        """A call ended."""
        tries = of.tries
        last = of.target or (tries[-1].target if tries else "")
        counts = self._at(of.at_us, last, "" if last else of.plan or of.model)
        counts[0] += 1
        counts[1] += not 100 <= of.status < _FAILED
        if not last:
            counts[4] += of.status >= _FAILED and of.status != LEFT
        counts[5] += of.queued_us if of.queued_us > 0 else 0
        if tries:
            for one in tries:
                self._tried(one)
        elif of.target:
            lasted = of.duration_us - of.queued_us - of.waited_us
            left = of.at_us - lasted if lasted > 0 else of.at_us
            if left // MINUTE_US != of.at_us // MINUTE_US:
                counts = self._at(left, last, "")
            counts[2] += 1
            counts[3] += of.status == _THROTTLED
            counts[6] += of.prompt_tokens
            counts[7] += of.completion_tokens
            counts[8] += of.charged_tokens

    def intended(self, of: Intent) -> None:
        """An attempt was charged, before it left."""
        self._at(of.at_us, of.target or of.lane, "")[9] += of.charged_tokens

    def minutes(self) -> list[Row]:
        """Rows of `lane_minutes` in the order of their keys, so that two writers cannot hold each other up."""
        return _rows((self._key(place), counts) for place, counts in self._found.items())

    def hours(self) -> list[Row]:
        """Rows of `lane_hours`, likewise."""
        keys = ((self._key(place), counts) for place, counts in self._found.items())
        return _rows(((key[0] // MINUTES, *key[1:]), counts) for key, counts in keys)

    def _tried(self, one: Try) -> None:
        counts = self._at(one.at_us, one.target, "")
        counts[2] += 1
        counts[3] += one.status == _THROTTLED or one.reason == _RATE
        counts[6] += one.prompt_tokens
        counts[7] += one.completion_tokens
        counts[8] += one.charged_tokens

    def _at(self, at_us: int, target: str, asked: str) -> list[int]:
        place = (at_us // MINUTE_US, target, asked)
        counts = self._found.get(place)
        if counts is None:
            counts = self._found[place] = [0] * len(self.NAMES)
        return counts

    def _key(self, place: _Place) -> tuple[int, str, str, str]:
        minute, target, asked = place
        provider, scope, model = parts(target)
        word = self._words.bounded(minute // MINUTES, f"{provider}/{scope}", "lane", model or name(asked))
        return minute, provider, scope, word


def _rows(found: Iterable[tuple[tuple[int, str, str, str], Sequence[int]]]) -> list[Row]:
    sums: dict[tuple[int, str, str, str], list[int]] = {}
    for key, counts in found:
        known = sums.get(key)
        sums[key] = list(counts) if known is None else [one + more for one, more in zip(known, counts, strict=True)]
    return [(*key, *counts) for key, counts in sorted(sums.items()) if any(counts)]
