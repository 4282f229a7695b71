"""The chunked transfer coding of requests, strictly (RFC 9112, 7.1). Pure.

Own and not llhttp's, because it has to know where the message ends, to the byte: what follows is another request.
"""

import re
from typing import Final

from tidegate.wire.head import bad, body_too_large

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*)?\r\n")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t -~\x80-\xff]*\r\n")
_MAX_SIZE_LINE: Final = 256
_MAX_TRAILER: Final = 8_192
_NEVER_IN_TRAILER: Final = frozenset((b"content-length", b"transfer-encoding", b"host"))


class ChunkedBody:
    """Decodes a body piece by piece. Trailers are checked and dropped."""

    __slots__ = ("_last", "_left", "_limit", "_rest", "_total", "_trailer", "done")

    def __init__(self, limit: int) -> None:
        """`limit`: the most bytes the body may have."""
        self._limit = limit
        self._rest = b""  # an incomplete line
        self._left = 0  # bytes of the current chunk still to come, its CR LF included
        self._last = False  # the last chunk has been seen: trailers follow
        self._total = 0
        self._trailer = 0
        self.done = False

    def allow(self, limit: int) -> None:
        """It may be so long after all."""
        self._limit = limit

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The pieces of the body in `data`, and, when `done`, the bytes after its end. Raises `Refused`."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            at = self._data(data, at, pieces) if self._left else self._line(data, at)
            if self.done:
                return pieces, data[at:]
            if at < 0:
                break
        return pieces, b""

    def _data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        content = self._left - 2
        if content > 0:
            piece = data[at : at + content]
            pieces.append(piece)
            self._left -= len(piece)
            return at + len(piece)
        if data[at] != (0x0D if self._left == 2 else 0x0A):
            raise bad("A chunk is longer than its size says.")
        self._left -= 1
        return at + 1

    def _line(self, data: bytes, at: int) -> int:
        """Read the size line or trailer line at `at`; -1 when it is incomplete."""
        end = data.find(b"\n", at)
        if end < 0:
            self._hold(data[at:])
            return -1
        if self._last:
            self._field(data[at : end + 1])
        else:
            self._size(data, at, end + 1)
        return end + 1

    def _hold(self, rest: bytes) -> None:
        if len(rest) > (_MAX_TRAILER if self._last else _MAX_SIZE_LINE):
            raise bad("A chunk's size line or a trailer is too long.")
        self._rest = rest

    def _size(self, data: bytes, at: int, end: int) -> None:
        match = _SIZE.fullmatch(data, at, end)
        if match is None or end - at > _MAX_SIZE_LINE:
            raise bad("A chunk size is malformed.")
        size = int(match[1], 16)
        self._total += size
        if self._total > self._limit:
            raise body_too_large(self._limit)
        if size:
            self._left = size + 2
        else:
            self._last = True

    def _field(self, line: bytes) -> None:
        self._trailer += len(line)
        if line == b"\r\n":
            self.done = True
            return
        match = _FIELD.fullmatch(line)
        if match is None or match[1].lower() in _NEVER_IN_TRAILER:
            raise bad("A trailer is malformed.")
        if self._trailer > _MAX_TRAILER:
            raise bad("The trailers are too long.")
