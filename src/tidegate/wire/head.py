"""Strict reading of a request's head. Pure: bytes in, a verdict out.

llhttp splits and validates the header fields; what it lets pass is refused here: several spaces in the request line,
other protocols and versions, a missing or second `Host`, any transfer coding but `chunked`, a transfer coding on
HTTP/1.0, odd targets. Whatever could make two servers see different messages is refused (RFC 9112, 11.2).
"""

import re
from collections.abc import Sequence
from typing import Final

KEEP_ALIVE: Final = 1
CONTINUE: Final = 2  # the client waits for `100 Continue`
UPGRADE: Final = 4  # the client asks for another protocol
CHUNKED: Final = -1  # in place of a length

REQUEST_LINE: Final = re.compile(rb"([A-Z-]+) ([!-~]+) HTTP/1\.([01])\r\n")
_VERSION: Final = re.compile(rb"[A-Z-]+ [!-~]+ HTTP/[0-9]+(?:\.[0-9]+)?\r\n")
_ABSOLUTE: Final = re.compile(rb"https?://[^/?#@]+(/[^?]*)?(?:\?(.*))?", re.IGNORECASE)
_HOST: Final = re.compile(rb"[\w.~!$&'()*+,;=%-]*(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?", re.ASCII)
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_MAX_LENGTH_DIGITS: Final = 18
_MAX_FIELDS: Final = 256
_AROUND_TARGET: Final = 32  # method, spaces and version beside the target
_SPECIAL: Final = frozenset(
    (b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"),
)


class Refused(Exception):
    """A request that is answered with an error and a closed connection."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad(message: str) -> Refused:
    """400: the request is malformed."""
    return Refused(400, "bad_request", message)


def framing(headers: Sequence[tuple[bytes, bytes]], minor: int) -> tuple[int, int]:
    """How long the body is (`CHUNKED` or bytes) and the flags of a request in HTTP/1.`minor`. Raises `Refused`."""
    if len(headers) > _MAX_FIELDS:
        raise Refused(431, "headers_too_large", f"The request has more than {_MAX_FIELDS} header fields.")
    length = hosts = codings = flags = 0
    lengths = 0
    if minor:
        flags = KEEP_ALIVE
    for name, value in headers:
        if name not in _SPECIAL:
            continue
        if name == b"host":
            hosts += 1
            if _HOST.fullmatch(value) is None:
                raise bad("The Host header is malformed.")
        elif name == b"content-length":
            lengths += 1
            length = content_length(value)
        elif name == b"connection":
            flags = _connection(value, flags)
        elif name == b"expect":
            flags |= _expect(value, minor)
        elif name == b"upgrade":
            flags |= UPGRADE
        else:
            codings += 1
            length = _coding(value, minor)
    if hosts != 1 and (minor or hosts):
        raise bad("A request must have exactly one Host header.")
    if lengths + codings > 1:
        raise bad("A request must have one Content-Length or one Transfer-Encoding, not both and not twice.")
    return length, flags


def content_length(value: bytes) -> int:
    """The value of a `Content-Length`: plain digits only. Raises `Refused`."""
    if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
        raise bad("The Content-Length must be a plain number.")
    return int(value)


def _coding(value: bytes, minor: int) -> int:
    if not minor:
        raise bad("HTTP/1.0 knows no Transfer-Encoding.")
    if value.lower() != b"chunked":
        raise bad("The only transfer coding supported is `chunked`.")
    return CHUNKED


def _connection(value: bytes, flags: int) -> int:
    tokens = [token.strip() for token in value.lower().split(b",")]
    if b"close" in tokens:
        return flags & ~KEEP_ALIVE
    if b"keep-alive" in tokens:
        return flags | KEEP_ALIVE
    return flags


def _expect(value: bytes, minor: int) -> int:
    if value.lower() != b"100-continue":
        raise Refused(417, "expectation_failed", "The only expectation supported is `100-continue`.")
    return CONTINUE if minor else 0


def split_target(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request target in origin, absolute or (for OPTIONS) asterisk form. Raises `Refused`."""
    if b"#" in target:
        raise bad("A request target has no fragment.")
    if target[0] == 0x2F:
        path, _, query = target.partition(b"?")
        return path, query
    if method == b"CONNECT":
        raise Refused(501, "not_implemented", "This is no proxy: CONNECT is not supported.")
    if target == b"*" and method == b"OPTIONS":
        return b"*", b""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise bad("The request target must be a path that begins with a slash.")
    return match[1] or b"/", match[2] or b""


def check_partial(data: bytes | bytearray, start: int, max_url: int, max_head: int) -> None:
    """Refuse a head that is not complete yet but can only become a bad one. `start` is where the new bytes begin.

    Raises `Refused`. Looks only at the new bytes and the request line, so that a slow drip costs O(bytes).
    """
    if not 0x41 <= data[0] <= 0x5A:
        raise bad("A request must begin with its method.")
    if _BARE_LF.search(data, start - 1 if start else 0) is not None:
        raise bad("A line must end with CR LF.")
    line = data.find(b"\r\n", 0, max_url + _AROUND_TARGET)
    if line < 0:
        if len(data) > max_url + _AROUND_TARGET:
            raise uri_too_long(max_url)
    elif REQUEST_LINE.match(data) is None:
        raise bad_line(bytes(data[: line + 2]), max_url)
    if len(data) > max_head:
        raise headers_too_large(max_head)


def bad_line(data: bytes, max_url: int) -> Refused:
    """What is wrong with a request line that `REQUEST_LINE` does not match."""
    if _VERSION.match(data) is not None:
        return Refused(505, "http_version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are supported.")
    line = data.find(b"\r\n")
    if line > max_url + _AROUND_TARGET:
        return uri_too_long(max_url)
    return bad("The request line is malformed.")


def uri_too_long(limit: int) -> Refused:
    """414."""
    return Refused(414, "uri_too_long", f"The request target is longer than {limit} bytes.")


def headers_too_large(limit: int) -> Refused:
    """431."""
    return Refused(431, "headers_too_large", f"The request's head is longer than {limit} bytes.")


def body_too_large(limit: int) -> Refused:
    """413."""
    return Refused(413, "body_too_large", f"The request's body is longer than {limit} bytes.")
