"""Spans of time in microseconds, the unit of every moment and duration here."""

from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60_000_000
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 86_400_000_000
