"""Days and months of a time zone, as wall-clock microseconds. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Period(NamedTuple):
    """From `from_us` to before `to_us`."""

    from_us: int
    to_us: int


def day(now: int, zone: tzinfo) -> Period:
    """The calendar day of a moment."""
    local = _local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(_us(local), _us((local + timedelta(days=1)).replace(tzinfo=zone)))


def month(now: int, zone: tzinfo) -> Period:
    """The calendar month of a moment."""
    local = _local(now, zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = local.replace(year=local.year + local.month // 12, month=local.month % 12 + 1)
    return Period(_us(local), _us(following))


def _local(moment: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
