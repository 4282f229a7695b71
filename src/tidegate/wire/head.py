"""Strict reading of a request's head. Pure: bytes in, a verdict out.

llhttp splits and validates the header fields; what it lets pass is refused here: several spaces in the request line,
other protocols and versions, a missing or second `Host`, any transfer coding but `chunked`, a transfer coding on
HTTP/1.0, odd targets. Whatever could make two servers see different messages is refused (RFC 9112, 11.2).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tidegate.wire.lines import Lines

KEEP_ALIVE: Final = 1
CONTINUE: Final = 2  # the client waits for `100 Continue`
CHUNKED: Final = -1  # in place of a length

Fields = dict[bytes, bytes]
StartLine = tuple[bytes, bytes, bytes, bytes, int, bool]  # method, target, path, query, minor version, usual?

_VERSION: Final = re.compile(rb"[A-Z-]+ [!-~]+ HTTP/[0-9]+(?:\.[0-9]+)?")
_LINE: Final = re.compile(rb"([A-Z-]+) ([!-~]+) HTTP/1\.([01])")
_ABSOLUTE: Final = re.compile(rb"https?://[^/?#@]+(/[^?]*)?(?:\?(.*))?", re.IGNORECASE)
_HOST: Final = re.compile(rb"[\w.~!$&'()*+,;=%-]*(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?", re.ASCII)
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_MAX_LENGTH_DIGITS: Final = 18
_MAX_FIELDS: Final = 256
_AROUND_TARGET: Final = 32  # method, spaces and version beside the target
_REMEMBERED: Final = 256  # bytes of a request line
_RARE: Final = frozenset((b"transfer-encoding", b"expect"))
_ONCE: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))


class BadHead(Exception):
    """A request that is answered with an error and a closed connection."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad(message: str) -> BadHead:
    """400: the request is malformed."""
    return BadHead(400, "bad_request", message)


def start_line(line: bytes) -> StartLine:
    """What a request line, without its CR LF, says. Raises `BadHead`.

    The usual few are remembered; none with a query, which may hold a secret.
    """
    return _start_line(line) if len(line) > _REMEMBERED or b"?" in line else _remembered(line)


def glimpse(line: bytes) -> tuple[bytes, bool]:
    """Of a request line that may be bad: the path, or nothing, and whether the method is HEAD."""
    try:
        return start_line(line)[2], line.startswith(b"HEAD ")
    except BadHead:
        return b"", line.startswith(b"HEAD ")


def _start_line(line: bytes) -> StartLine:
    match = _LINE.fullmatch(line)
    if match is None:
        if _VERSION.fullmatch(line) is not None:
            raise BadHead(505, "http_version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are supported.")
        raise bad("The request line is malformed.")
    method, target, minor = match.groups()
    path, query = _split_target(method, target)
    return method, target, path, query, int(minor), minor == b"1" and method != b"HEAD"


_remembered = lru_cache(maxsize=256)(_start_line)


class RequestLines(Lines):
    """Lines of requests. Raises `BadHead` on one that alone makes its request a bad one."""

    __slots__ = ()

    def check(self, name: bytes, value: bytes) -> None:
        """The headers that decide about the message have no other than these values."""
        if name == b"content-length":
            if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
                raise bad("The Content-Length must be a plain number.")
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise bad("The only transfer coding supported is `chunked`.")
        elif name == b"host":
            if _HOST.fullmatch(value) is None:
                raise bad("The Host header is malformed.")
        elif name == b"expect" and value.lower() != b"100-continue":
            raise BadHead(417, "expectation_failed", "The only expectation supported is `100-continue`.")


def framing(headers: Sequence[tuple[bytes, bytes]], minor: int) -> tuple[Fields, int, int]:
    """The first value of each header, the length of the body (or `CHUNKED`) and the flags. Raises `BadHead`.

    `headers` come from `RequestLines`: each is good alone, here they have to be good together.
    """
    fields = dict(headers)
    if len(fields) != len(headers) or len(fields) > _MAX_FIELDS:
        fields = _first_values(headers)
    if b"host" not in fields and minor:
        raise bad("A request must have a Host header.")
    flags = KEEP_ALIVE if minor else 0
    connection = fields.get(b"connection")
    if (connection is not None and connection != b"keep-alive") or not minor:
        flags = _connection(connection or b"", flags)
    length = fields.get(b"content-length")
    if not _RARE.isdisjoint(fields):
        if b"expect" in fields and minor:
            flags |= CONTINUE
        if b"transfer-encoding" in fields:
            if length is not None:
                raise bad("A request has a Content-Length or a Transfer-Encoding, not both.")
            if not minor:
                raise bad("HTTP/1.0 knows no Transfer-Encoding.")
            return fields, CHUNKED, flags
    return fields, int(length) if length is not None else 0, flags


def _first_values(headers: Sequence[tuple[bytes, bytes]]) -> Fields:
    if len(headers) > _MAX_FIELDS:
        raise BadHead(431, "headers_too_large", f"The request has more than {_MAX_FIELDS} header fields.")
    fields: Fields = {}
    for name, value in headers:
        if name not in fields:
            fields[name] = value
        elif name == b"connection":
            fields[name] += b"," + value
        elif name in _ONCE:
            raise bad(f"A request must have only one {name.decode()} header.")
    return fields


def _connection(value: bytes, flags: int) -> int:
    tokens = [token.strip() for token in value.lower().split(b",")]
    if b"close" in tokens:
        return flags & ~KEEP_ALIVE
    if b"keep-alive" in tokens:
        return flags | KEEP_ALIVE
    return flags


def _split_target(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request target in origin, absolute or (for OPTIONS) asterisk form. Raises `BadHead`."""
    if b"#" in target:
        raise bad("A request target has no fragment.")
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return path, query
    if method == b"CONNECT":
        raise BadHead(501, "not_implemented", "This is no proxy: CONNECT is not supported.")
    if target == b"*" and method == b"OPTIONS":
        return b"*", b""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise bad("The request target must be a path that begins with a slash.")
    return match[1] or b"/", match[2] or b""


def upgrades(lines: Sequence[bytes]) -> list[bytes]:
    """The other protocols that a request asks for."""
    fields = [line.lower().partition(b":") for line in lines]
    return [value.strip() for name, _, value in fields if name == b"upgrade"]


def check_partial(data: bytes | bytearray, start: int, max_url: int, max_head: int) -> None:
    """Refuse a head that is not complete yet but can only become a bad one. `start` is where the new bytes begin.

    Raises `BadHead`. Looks only at the new bytes and the request line, so that a slow drip costs O(bytes).
    """
    if not 0x41 <= data[0] <= 0x5A:
        raise bad("A request must begin with its method.")
    if _BARE_LF.search(data, start - 1 if start else 0) is not None:
        raise bad("A line must end with CR LF.")
    line = data.find(b"\r\n", 0, max_url + _AROUND_TARGET)
    if line >= 0:
        start_line(bytes(data[:line]))
    elif len(data) > max_url + _AROUND_TARGET:
        raise uri_too_long(max_url)
    if len(data) > max_head:
        raise headers_too_large(max_head)


def too_long(target: bytes, max_url: int, max_head: int) -> BadHead:
    """414 or 431: which of the two limits is passed."""
    return uri_too_long(max_url) if len(target) > max_url else headers_too_large(max_head)


def uri_too_long(limit: int) -> BadHead:
    """414."""
    return BadHead(414, "uri_too_long", f"The request target is longer than {limit} bytes.")


def headers_too_large(limit: int) -> BadHead:
    """431."""
    return BadHead(431, "headers_too_large", f"The request's head is longer than {limit} bytes.")


def body_too_large(limit: int) -> BadHead:
    """413."""
    return BadHead(413, "body_too_large", f"The request's body is longer than {limit} bytes.")
