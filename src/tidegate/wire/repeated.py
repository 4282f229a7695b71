"""A client's next head is mostly its last one with another Content-Length: recognised by comparing bytes.

What differs from an accepted head in nothing but the digits of its length needs no second look: every rule would find
the same. So a kept connection pays for splitting and validating a head only when the client changes it. A signature
(RFC 9421), a request's id and its place in a trace (W3C) are other ones in every request: in a head that has one of
them, what their lines say may differ too. Pure.
"""

from typing import Final

from tidegate.wire.exchange import Likeness
from tidegate.wire.head import CHUNKED, Fields, StartLine

_LONGEST: Final = 2_048  # bytes of a head; the connection keeps it as long as it lives
_LENGTH: Final = b"content-length"
_SIGNED: Final = b"signature-input"
_NAMING: Final = (b"traceparent", b"tracestate", b"x-request-id")  # that name a request, and say nothing of it
_NAMED: Final = frozenset((_LENGTH, *_NAMING))
_VARYING: Final = _NAMED | {_SIGNED, b"signature", b"content-digest"}
_MAX_DIGITS: Final = 18
_SPACE: Final = ord(" ")
_VISIBLE: Final = bytes(range(_SPACE, 0x7F))
_LINE_END: Final = b"\r\n"

Headers = list[tuple[bytes, bytes]]
Known = tuple[Headers, Fields, int]  # and the length of the body


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

    def read(self, head: bytes) -> Known | None:
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


class RepeatedVarying(Repeated):
    """An accepted head with lines that vary, cut off where what they say, and the length, begins.

    That is read anew each time: here as what llhttp would let pass, then by who judges signatures or follows traces.
    """

    __slots__ = ("_lines", "_varying")

    def __init__(
        self, lines: list[bytes], varying: list[tuple[int, int]], start: StartLine, headers: Headers, fields: Fields
    ) -> None:
        """`varying`: which of the headers are, and the length of what is left of their lines."""
        super().__init__(b"", b"", -1, start, headers, fields)
        self._lines = lines
        self._varying = varying

    def read(self, head: bytes) -> Known | None:
        """As of any other; a value is visible characters, in one line, and perhaps spaces between them. O(head)."""
        lines = head.split(_LINE_END)
        if len(lines) != len(self._lines):
            return None
        headers, fields = self._headers.copy(), self._fields.copy()
        length, values = 0, b""
        for at, begin in self._varying:
            line, name = lines[at + 1], headers[at][0]
            value = line[begin:]
            lines[at + 1] = line[:begin]
            headers[at] = (name, value)
            fields[name] = value
            if name == _LENGTH:
                if not value.isdigit() or len(value) > _MAX_DIGITS:
                    return None
                length = int(value)
            elif not value or value[0] == _SPACE or value[-1] == _SPACE:
                return None
            else:
                values += value
        if lines != self._lines or values.translate(None, _VISIBLE):
            return None
        return headers, fields, length


def repeatable(
    head: bytes, lines: list[bytes], start: StartLine, headers: Headers, fields: Fields, length: int
) -> Repeated | None:
    """What to compare the next head with, after this one (of `lines`) was accepted; None when it is not worth it."""
    if len(head) > _LONGEST or length == CHUNKED:
        return None
    if _SIGNED in fields:
        return _varying(lines, start, headers, fields, _VARYING)
    if any(name in fields for name in _NAMING):
        return _varying(lines, start, headers, fields, _NAMED)
    value = fields.get(_LENGTH)
    if value is None:
        return Repeated(head, b"", -1, start, headers, fields)
    at = headers.index((_LENGTH, value))
    line = lines[at + 1]
    begin = sum(len(before) + 2 for before in lines[: at + 1]) + line.rindex(value)
    return Repeated(head[:begin], head[begin + len(value) :], at, start, headers, fields)


def _varying(
    lines: list[bytes], start: StartLine, headers: Headers, fields: Fields, names: frozenset[bytes]
) -> Repeated | None:
    """None when one of the lines stands there twice: which of them counts is not for us to say."""
    cut, varying = lines.copy(), []
    for at, (name, value) in enumerate(headers):
        if name in names:
            begin = lines[at + 1].rindex(value)
            cut[at + 1] = lines[at + 1][:begin]
            varying.append((at, begin))
    if len(varying) != len({headers[at][0] for at, _ in varying}):
        return None
    return RepeatedVarying(cut, varying, start, headers, fields)
