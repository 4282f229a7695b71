"""A client's next head is mostly its last one with another Content-Length: recognised by comparing bytes.

What differs from an accepted head in nothing but the digits of its length needs no second look: every rule would find
the same. So a kept connection pays for splitting and validating a head only when the client changes it. Pure.
"""

from typing import Final

from tidegate.wire.exchange import Likeness
from tidegate.wire.head import CHUNKED, Fields, StartLine

_LONGEST: Final = 2_048  # bytes of a head; the connection keeps it as long as it lives
_LENGTH: Final = b"content-length"
_MAX_DIGITS: Final = 18

Headers = list[tuple[bytes, bytes]]


class Repeated:
    """An accepted head, cut around the digits of its length. `start` is what its first line says."""

    __slots__ = ("_after", "_at", "_before", "_fields", "_headers", "alike", "start")

    def __init__(
        self, before: bytes, after: bytes, at: int, start: StartLine, headers: Headers, fields: Fields
    ) -> None:
        self._before = before
        self._after = after
        self._at = at  # which of the headers is the length; -1 when there is none
        self.start = start
        self.alike = Likeness()
        self._headers = headers
        self._fields = fields

    def read(self, head: bytes) -> tuple[Headers, Fields, int] | None:
        """The headers and the length of a head like this one; None when it is another. O(head), by `memcmp`."""
        before, after = self._before, self._after
        if not head.startswith(before) or not head.endswith(after):
            return None
        digits = head[len(before) : len(head) - len(after)]
        at = self._at
        if at < 0:
            return None if len(head) > len(before) else (self._headers.copy(), self._fields.copy(), 0)
        if not digits.isdigit() or len(digits) > _MAX_DIGITS:
            return None
        headers = self._headers.copy()
        headers[at] = (_LENGTH, digits)
        fields = self._fields.copy()
        fields[_LENGTH] = digits
        return headers, fields, int(digits)


def repeatable(
    head: bytes, lines: list[bytes], start: StartLine, headers: Headers, fields: Fields, length: int
) -> Repeated | None:
    """What to compare the next head with, after this one (of `lines`) was accepted; None when it is not worth it."""
    if len(head) > _LONGEST or length == CHUNKED:
        return None
    value = fields.get(_LENGTH)
    if value is None:
        return Repeated(head, b"", -1, start, headers, fields)
    at = headers.index((_LENGTH, value))
    line = lines[at + 1]
    begin = sum(len(before) + 2 for before in lines[: at + 1]) + line.rindex(value)
    return Repeated(head[:begin], head[begin + len(value) :], at, start, headers, fields)
