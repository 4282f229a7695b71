"""How far a provider's rate-limit headers are believed: a score for each dimension of a lane.

Replies that agree with what is known raise it slowly, contradictions lower it at once. The score says whether a single
reply is enough to be careful, how many must agree before a limit is lowered, and whether what is left is believed at
all. Scores are thousandths. O(1).
"""

FULL = 1_000
START = 500
DISTRUSTED = 200  # below, headers move nothing any more; they may earn it back
AGREED = 2  # once a round trip
# What costs trust, and how much.
JUMP = 150  # a limit that was shown, and taken back by the next replies
RISE = 60  # more is left than any refill explains, or more than the limit
NONSENSE = 30  # -1, 0, no number, or another period's bucket where the minute's was shown before

_NEEDED = 3
_NEEDED_DOUBTED = 6


class Trust:
    """One dimension's score."""

    __slots__ = ("score",)

    def __init__(self, score: int = START) -> None:
        self.score = min(FULL, max(0, score))

    def agree(self) -> None:
        """A reply fits what is known."""
        if self.score < FULL:
            self.score = min(FULL, self.score + AGREED)

    def contradict(self, cost: int) -> None:
        """A reply contradicts what is known, or itself."""
        self.score = max(0, self.score - cost)

    @property
    def good(self) -> bool:
        """Whether one reply that shows a lower limit is reason enough to keep to it until others agree or do not."""
        return self.score >= START

    @property
    def believed(self) -> bool:
        """Whether what is left is worth a correction."""
        return self.score >= DISTRUSTED

    @property
    def needed(self) -> int:
        """How many replies must show a lower limit before it is one."""
        return _NEEDED if self.good else _NEEDED_DOUBTED
