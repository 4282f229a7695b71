"""Which calls may be jobs, what is kept of their bodies, and which of their header lines go with them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.model.call import Kind, Shape
from tidegate.providers.codec import BadRequest
from tidegate.providers.dialects import CODECS

Headers = Iterable[tuple[bytes, bytes]]

KINDS: Final = {f"/v1{codec.path.decode()}": kind for kind, codec in CODECS.items() if kind is not Kind.COUNT}
_STREAMS: Final = ("stream", "stream_options")
# Hop by hop (RFC 9110, 7.6.1), of this one request's body and connection, who sent it and how it is proven, and what
# the desk has acted on: none of it is true of the call that is made later. What is of the gate's own names goes if it
# is known to mean the call.
_LEFT_OUT: Final = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade http2-settings content-length content-type content-encoding content-digest expect accept accept-encoding "
    b"authorization api-key x-api-key x-goog-api-key cookie forwarded x-real-ip x-request-id signature signature-input "
    b"idempotency-key prefer date via priority".split()
)
_OWN: Final = b"x-tidegate-"
_OWN_KEPT: Final = frozenset((b"x-tidegate-cache", b"x-tidegate-session"))
_FORWARDED: Final = b"x-forwarded-"
_OF_JOBS: Final = (b"anthropic-", b"openai-beta")  # what a request for a job says of its call

_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


def kind_of(path: str) -> Kind | None:
    """What a path (without its query) asks for; None where it can be no job. O(1)."""
    return KINDS.get(path)


def shape_of(kind: Kind, body: bytes, within: str = "") -> Shape:
    """What a call's body asks for. Raises `Refused`; `within` is the field that the body stands in. O(bytes)."""
    try:
        return CODECS[kind].read(body).shape
    except BadRequest as error:
        param = f"{within}.{error.param}" if within and error.param else within or error.param
        raise Refused(Fault.BAD_REQUEST, str(error), param) from None


def whole(body: bytes, shape: Shape) -> bytes:
    """The same request for a whole answer. O(bytes)."""
    if not shape.stream and b'"stream' not in body:
        return body
    fields = _decode_object(body)
    for name in _STREAMS:
        fields.pop(name, None)
    return _encode(fields)


def kept_lines(headers: Headers, connection: bytes | None) -> bytes:
    """The header lines of a call that is made later, without those that its `connection` names."""
    named = frozenset(name.strip() for name in connection.lower().split(b",")) if connection else frozenset()
    return b"".join(_line(name, value) for name, value in headers if name not in named and _goes(name))


def lines_of_job(headers: Headers) -> bytes:
    """The same of a request that asks for a job: only what can be meant for the call."""
    return b"".join(_line(name, value) for name, value in headers if name.startswith(_OF_JOBS) or name in _OWN_KEPT)


def tag_line(tags: tuple[str, ...]) -> bytes:
    """What the gate writes into the ledger beside the call."""
    return b"x-tidegate-tag: %b\r\n" % ", ".join(tags).encode() if tags else b""


def _goes(name: bytes) -> bool:
    if name.startswith(_OWN):
        return name in _OWN_KEPT
    return name not in _LEFT_OUT and not name.startswith(_FORWARDED)


def _line(name: bytes, value: bytes) -> bytes:
    return b"%b: %b\r\n" % (name, value)
