"""Webhooks: where they may go, how they are signed, and when they are sent again.

Source: Standard Webhooks 1.0 (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; HMAC-SHA256 over
`id.timestamp.body`; its schedule of pauses; 410 ends it). Pure; `*_us` are microseconds.
"""

import re
from base64 import b64encode
from hashlib import sha256
from hmac import digest
from typing import Final, NamedTuple

from tidegate.policy.access.addresses import UNKNOWN, parse_address
from tidegate.policy.jobs.addresses import PUBLIC, Allowed

SENT: Final = "sent"
AGAIN: Final = "due"
GIVEN_UP: Final = "given_up"

MAX_URL: Final = 2_048
_GONE: Final = 410
_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1_024
_LAST_PORT: Final = 65_535
_SECOND: Final = 1_000_000
_HOUR: Final = 3_600 * _SECOND
_PAUSES: Final = (
    5 * _SECOND,
    300 * _SECOND,
    1_800 * _SECOND,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
_LONGEST: Final = 24 * _HOUR

# One way to read a URL, narrower than any client's: what two readers could understand differently is none.
_URL: Final = re.compile(r"(https?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?([/?][!$-\[\]-~]*)?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOCAL: Final = re.compile(r"(?:.+\.)?localhost")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadHook(ValueError):
    """A URL that no webhook is sent to; the text says why and what to do, and does not repeat the URL."""


class Target(NamedTuple):
    """Where to send it. `host` is in lower case and without brackets."""

    tls: bool
    host: str
    port: int
    path: str  # with its query

    @property
    def authority(self) -> str:
        """For the Host header: the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"


def target_of(url: str, allowed: Allowed) -> Target:
    """Read a URL. Raises `BadHook`. A name that passes may still stand for an address that is refused."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise BadHook(
            f"expected https://HOST[:PORT]/PATH of at most {MAX_URL} characters, percent-encoded, "
            "without user, password and fragment"
        )
    scheme, written, port_text, path = found[1], found[2], found[3], found[4] or "/"
    host = _host(written)
    port = int(port_text) if port_text else _PORTS[scheme]
    _judge(host, port, allowed)
    return Target(scheme == "https", host, port, path if path.startswith("/") else "/" + path)


def _host(written: str) -> str:
    """A name, or an address in its one form. Raises `BadHook`: `0x7f.1` is an address to some and a name to others."""
    if written.startswith("["):
        if parse_address(written[1:-1]) == UNKNOWN:
            raise BadHook("the host is no IPv6 address")
        return written[1:-1].lower()
    host = written.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]) is not None:
        if parse_address(host) == UNKNOWN:
            raise BadHook("the host is no IPv4 address: write it as four numbers, or use a name")
        return host
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHook("the host is no name: write international names in their xn-- form")
    return host


def _judge(host: str, port: int, allowed: Allowed) -> None:
    address = parse_address(host)
    local = _LOCAL.fullmatch(host) is not None
    if (address != UNKNOWN and allowed.refusal(host, address) != PUBLIC) or (local and not allowed.name(host)):
        raise BadHook("the host is not public: use a public one, or ask the operator for `jobs.webhooks.allow`")
    if not 0 < port <= _LAST_PORT:
        raise BadHook(f"the port must be 1 to {_LAST_PORT}")
    if port < _FIRST_FREE_PORT and port not in _PORTS.values() and not allowed.name(host):
        raise BadHook(f"port {port} belongs to another service: use 443, 80 or one from {_FIRST_FREE_PORT}")


def event_id(about: str, ended_us: int) -> str:
    """The same for all attempts at one end of a job or batch, another for an end after a new beginning."""
    return f"msg_{about}_{ended_us:x}"


def signature(event: str, timestamp_s: int, body: bytes, secret: bytes) -> str:
    """What goes into `webhook-signature`."""
    signed = b"%b.%d.%b" % (event.encode(), timestamp_s, body)
    return "v1," + b64encode(digest(secret, signed, "sha256")).decode()


def headers(event: str, timestamp_s: int, body: bytes, secret: bytes) -> bytes:
    """The three header lines, each with CRLF."""
    lines = (
        f"webhook-id: {event}\r\nwebhook-timestamp: {timestamp_s}\r\n"
        f"webhook-signature: {signature(event, timestamp_s, body, secret)}\r\n"
    )
    return lines.encode()


class Next(NamedTuple):
    """What becomes of a webhook after an attempt: `SENT`, `GIVEN_UP`, or `AGAIN` after a pause."""

    state: str
    pause_us: int = 0


def after(event: str, attempt: int, most: int, status: int, retry_after_us: int = 0) -> Next:
    """Judge the attempt with this number, from 1, of `most`; `status` 0 = it was not answered.

    Redirects are not followed, and so are failures. A receiver may ask for a longer pause than ours, up to a day. The
    jitter is the event's own: those that failed together do not come back together.
    """
    if 200 <= status < 300:
        return Next(SENT)
    if status == _GONE or attempt >= most:
        return Next(GIVEN_UP)
    base = _PAUSES[min(attempt, len(_PAUSES)) - 1]
    pause = base + base * _chance(event, attempt) // 400  # up to a quarter more
    return Next(AGAIN, min(max(pause, retry_after_us), _LONGEST + _LONGEST // 4))


def put_off(turn_us: int, each_us: int, places: int, wall: int) -> int:
    """When one comes back whose host is busy: in its turn behind the last that was put off, at `turn_us`.

    `each_us`: how long an attempt there takes. At least a second from `wall`, at most five minutes: a host that has
    become fast, or slow, is asked again soon.
    """
    return min(max(turn_us, wall + _SECOND) + each_us // max(places, 1), wall + 300 * _SECOND)


def _chance(event: str, attempt: int) -> int:
    """0 to 99."""
    return int.from_bytes(sha256(f"{event}.{attempt}".encode()).digest()[:4], "big") % 100
