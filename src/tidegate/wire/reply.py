"""The bytes of a reply's head, ready to be joined. Pure."""

from http import HTTPStatus
from typing import Final

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE: Final = b"connection: close\r\n"
KEEP_ALIVE: Final = b"connection: keep-alive\r\n"
CHUNKED: Final = b"transfer-encoding: chunked\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
JSON: Final = b"content-type: application/json\r\n"

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_LINES: Final = tuple(f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode() for status in range(600))
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY: Final = 86_400


def status_line(status: int) -> bytes:
    """`HTTP/1.1 200 OK` with its CR LF. Raises `ValueError` for a status outside 200-599."""
    if not 200 <= status < 600:
        raise ValueError(f"{status} is no final HTTP status")
    return _LINES[status]


def date_line(wall: int) -> bytes:
    """The `date` header for `wall` microseconds since 1970, independent of the locale (RFC 9110, 5.6.7)."""
    days, seconds = divmod(wall // 1_000_000, _DAY)
    year, month, day = _civil(days)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    weekday = _DAYS[(days + 3) % 7]
    return f"date: {weekday}, {day:02} {_MONTHS[month - 1]} {year:04} {clock} GMT\r\n".encode()


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01 in the proleptic Gregorian calendar."""
    era, day_of_era = divmod(days + 719_468, 146_097)  # eras of 400 years that begin on the 1st of March
    year = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1
