"""Days and months as a tenant's time zone has them, in wall-clock microseconds since 1970.

Looked at when a period ends, never per call. Where clocks are put forward or back at midnight a day begins when its
date is there for good: days then last 23 or 25 hours, and each moment is in exactly one day and one month.
"""

from datetime import date, datetime, timedelta, tzinfo

_SECOND = 1_000_000


def day_of(wall: int, zone: tzinfo) -> tuple[int, int]:
    """The day that holds this moment: its first microsecond, and the first one after it. O(1)."""
    today = _date(wall, zone)
    return _begin(today, zone), _begin(today + timedelta(days=1), zone)


def month_of(wall: int, zone: tzinfo) -> tuple[int, int]:
    """The calendar month, as `day_of`."""
    first = _date(wall, zone).replace(day=1)
    return _begin(first, zone), _begin((first + timedelta(days=31)).replace(day=1), zone)


def moment(wall: int, zone: tzinfo) -> str:
    """A moment as it is told: RFC 3339, with the zone's offset, in whole seconds."""
    return datetime.fromtimestamp(wall // _SECOND, zone).isoformat()


def _date(wall: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(wall // _SECOND, zone).date()


def _begin(day: date, zone: tzinfo) -> int:
    """Where midnight is skipped, the moment of the change; where it comes twice, the one after which it is the day.

    PEP 495: of a time that is skipped fold 0 is the later moment, of one that comes twice the earlier.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    first, second = int(midnight.timestamp()) * _SECOND, int(midnight.replace(fold=1).timestamp()) * _SECOND
    return second if first < second and _date(second - 1, zone) < day else first
