"""`Prefer`, as far as it is about waiting (RFC 7240)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

_ASYNC: Final = "respond-async"
_WAIT: Final = "wait"
_LONGEST_SECONDS: Final = 86_400


class Preference(NamedTuple):
    """`asynchronous`: answer with 202 rather than have the client wait longer than `wait_us`."""

    asynchronous: bool = False
    wait_us: int = 0


def preference(lines: Iterable[str]) -> Preference:
    """Of all lines of the header. What is not known, or makes no sense, is passed over; the first of each counts."""
    told: dict[str, str] = {}
    for one in ",".join(lines).split(","):
        name, _, value = one.partition(";")[0].partition("=")
        told.setdefault(name.strip().lower(), value.strip().strip('"'))
    seconds = told.get(_WAIT, "")
    known = seconds.isascii() and seconds.isdecimal() and len(seconds) <= len(str(_LONGEST_SECONDS))
    return Preference(_ASYNC in told, min(int(seconds), _LONGEST_SECONDS) * 1_000_000 if known else 0)
