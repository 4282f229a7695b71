"""How many tokens an answer has by now: what a provider bills for one that is stopped before it tells its usage.

An answer lasts `start + tokens × pace`; both are learnt by least squares over the last few dozen complete answers, with
exponentially decaying weights (recursive form of Gauss's normal equations). With hardly any spread in tokens there is
no slope to find, and the mean rate is taken. All O(1).
"""

from typing import Final

_DECAY: Final = 0.98  # a sample of fifty ago counts a third of the newest


class Speed:
    """Durations in microseconds."""

    __slots__ = ("_duration", "_product", "_square", "_tokens", "_weight")

    def __init__(self) -> None:
        self._weight = 0.0
        self._tokens = 0.0
        self._duration = 0.0
        self._square = 0.0
        self._product = 0.0

    def learn(self, tokens: int, duration_us: int) -> None:
        """A whole answer had so many tokens and took so long."""
        count, took = float(tokens), float(duration_us)
        self._weight = self._weight * _DECAY + 1.0
        self._tokens = self._tokens * _DECAY + count
        self._duration = self._duration * _DECAY + took
        self._square = self._square * _DECAY + count * count
        self._product = self._product * _DECAY + count * took

    def made(self, elapsed_us: int, most: int) -> int:
        """Tokens that an answer has after so long; at most `most` (0 = not known), 0 while nothing was learnt."""
        weight = self._weight
        if weight == 0.0:
            return 0
        mean, took = self._tokens / weight, self._duration / weight
        spread = self._square / weight - mean * mean
        pace = (self._product / weight - mean * took) / spread if spread > 0.01 * mean * mean else 0.0
        if pace > 0.0:
            tokens = (elapsed_us - (took - pace * mean)) / pace
        else:
            tokens = mean * elapsed_us / took if took > 0.0 else 0.0
        tokens = max(tokens, 0.0)
        return round(min(tokens, float(most)) if most else tokens)
