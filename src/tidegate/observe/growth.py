"""The growth list: refusals that no row of a profile explains, each told once an hour, so that a row can be written."""

from typing import Final

from tidegate.model.reply import Unexplained
from tidegate.observe.log import Log
from tidegate.observe.mask import masked, name

EVERY_US: Final = 3_600_000_000
MOST: Final = 1_000  # kinds of refusals within that time; what comes beyond is counted alone


class Growth:
    """What was told of late. O(1) amortised; memory bounded by `MOST`."""

    __slots__ = ("_log", "_told")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: dict[tuple[str, int, str, str], int] = {}  # and when, oldest first

    def add(self, provider: str, refusal: Unexplained, now: int) -> None:
        """One refusal at `now` (µs). No secret and no prompt leaves by it (`mask`)."""
        told, kind = self._told, (provider, refusal.status, name(refusal.code), name(refusal.type))
        self._forget(now)
        if kind in told or len(told) >= MOST:
            return
        told[kind] = now
        self._log.warning(
            "no row of the profile explains a refusal",
            provider=provider,
            status=refusal.status,
            code=kind[2],
            type=kind[3],
            message=masked(refusal.message),
        )

    def _forget(self, now: int) -> None:
        told = self._told
        while told:
            oldest = next(iter(told))
            if now - told[oldest] < EVERY_US:
                return
            del told[oldest]
