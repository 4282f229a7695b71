"""Which headers go on to the provider, which come back, and what the gate itself tells."""

from collections.abc import Iterable

from tidegate.line.lane import Lane
from tidegate.model.call import Attempt
from tidegate.model.reply import Headers
from tidegate.policy.quota import View

# Hop-by-hop (RFC 9110 7.6.1), framing, the client's credentials, and what would change the answer's coding.
_NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade content-length expect authorization api-key x-api-key cookie forwarded x-forwarded-for x-forwarded-host "
    b"x-forwarded-proto x-real-ip x-request-id".split()
)
_OWN = b"x-tidegate-"
_NOT_RETURNED = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade content-length date "
    b"retry-after retry-after-ms x-should-retry alt-svc strict-transport-security set-cookie".split()
)
_RATE = b"x-ratelimit-"
_REQUEST_ID = b"x-request-id"


def forwarded(headers: Headers, *, coded: bool) -> bytes:
    """The client's header lines for the provider; `coded`: the client's choice of content coding goes with them."""
    lines = [
        b"%b: %b\r\n" % header
        for header in headers
        if header[0] not in _NOT_FORWARDED
        and not header[0].startswith(_OWN)
        and (coded or header[0] != b"accept-encoding")
    ]
    return b"".join(lines)


def returned(headers: Headers) -> bytes:
    """The provider's header lines for the client; its request id under a name of its own."""
    lines = []
    for header in headers:
        name = header[0]
        if name in _NOT_RETURNED or name.startswith(_RATE):
            continue
        lines.append(
            b"x-tidegate-upstream-request-id: %b\r\n" % header[1] if name == _REQUEST_ID else b"%b: %b\r\n" % header
        )
    return b"".join(lines)


def story(request_id: bytes, attempts: Iterable[Attempt], target: str, waited_us: int) -> bytes:
    """Which target answered, after which attempts, with how much waiting."""
    tried = ", ".join(
        f"{a.target} {a.status or 'failed'}{'' if a.reason is None else ' ' + a.reason.name.lower()}" for a in attempts
    )
    lines = b"x-request-id: %b\r\nx-tidegate-wait-ms: %d\r\n" % (request_id, waited_us // 1_000)
    if tried:
        lines += b"x-tidegate-attempts: %b\r\n" % tried.encode("latin-1", "replace")
    if target:
        lines += b"x-tidegate-target: %b\r\n" % target.encode("latin-1", "replace")
    return lines


def quota(lane: Lane, now: int) -> bytes:
    """`x-ratelimit-*` as the gate's own mirror stands: what the next call will find."""
    quota = lane.gate.quota
    return _dimension(b"requests", quota.view_requests(now)) + _dimension(b"tokens", quota.view_tokens(now))


def _dimension(name: bytes, view: View | None) -> bytes:
    if view is None:
        return b""
    return b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %d\r\nx-ratelimit-reset-%b: %.3fs\r\n" % (
        name, view.limit, name, view.left, name, view.reset_us / 1e6,
    )  # fmt: skip
