"""How soon something that died is started again. Pure; seconds."""

CALM_SECONDS = 10.0  # who lived this long did not die of its start
_FIRST = 0.1
_CAP = 5.0


class Backoff:
    """The first restart is at once; one that keeps dying waits 0.1 s, 0.2 s, 0.4 s … at most 5 s."""

    __slots__ = ("deaths",)

    def __init__(self) -> None:
        self.deaths = 0  # in a row, without a calm life between them

    def died(self, lived: float) -> float:
        """The delay before the next start, after a life of `lived` seconds."""
        if lived >= CALM_SECONDS:
            self.deaths = 0
        self.deaths += 1
        return 0.0 if self.deaths == 1 else min(_CAP, _FIRST * 2.0 ** min(self.deaths - 2, 16))
