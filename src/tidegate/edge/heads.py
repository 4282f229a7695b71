"""Which headers go on to the provider, which come back, and what the gate itself tells."""

from collections.abc import Callable, Sequence

from tidegate.line.lane import Lane
from tidegate.model.call import Attempt
from tidegate.model.reply import Headers

# Hop-by-hop (RFC 9110 7.6.1), framing, the client's credentials, and what belongs to the gate.
_NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade content-length expect authorization api-key x-api-key cookie forwarded x-forwarded-for x-forwarded-host "
    b"x-forwarded-proto x-real-ip x-request-id x-tidegate-deadline-ms x-tidegate-provider".split()
)
# A governed answer must come uncoded: its usage is read.
_NOT_FORWARDED_UNCODED = _NOT_FORWARDED | {b"accept-encoding"}
_NOT_RETURNED = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade content-length "
    b"date server retry-after retry-after-ms x-should-retry alt-svc strict-transport-security set-cookie x-request-id "
    b"x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests x-ratelimit-remaining-tokens "
    b"x-ratelimit-reset-requests x-ratelimit-reset-tokens".split()
)
_REQUESTS = (
    b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-remaining-requests: %d\r\nx-ratelimit-reset-requests: %dms\r\n"
)
_TOKENS = b"x-ratelimit-limit-tokens: %d\r\nx-ratelimit-remaining-tokens: %d\r\nx-ratelimit-reset-tokens: %dms\r\n"


def forwarded(headers: Headers, *, coded: bool) -> bytes:
    """The client's header lines for the provider; `coded`: the client's choice of content coding goes with them."""
    dropped = _NOT_FORWARDED if coded else _NOT_FORWARDED_UNCODED
    return b"".join([b"%b: %b\r\n" % header for header in headers if header[0] not in dropped])


def returned(headers: Headers, shown: dict[bytes, bytes]) -> list[bytes]:
    """The provider's header lines for the client, without what the gate says itself; its request id renamed.

    `shown` holds the same headers by name.
    """
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] not in _NOT_RETURNED]
    request_id = shown.get(b"x-request-id")
    if request_id is not None:
        lines.append(b"x-tidegate-upstream-request-id: %b\r\n" % request_id)
    return lines


def attempts(tried: Sequence[Attempt]) -> bytes:
    """Every target that was tried, with what it came to."""
    if not tried:
        return b""
    words = [
        f"{a.target} {a.status or 'failed'}{'' if a.reason is None else ' ' + a.reason.name.lower()}" for a in tried
    ]
    return b"x-tidegate-attempts: %b\r\n" % ", ".join(words).encode("latin-1", "replace")


def answered(lane: Lane, tried: Sequence[Attempt]) -> bytes:
    """Which target answered, after which attempts."""
    if len(tried) == 1 and tried[0].status == 200:
        return lane.told
    return b"x-tidegate-target: %b\r\n%b" % (lane.name.encode("latin-1", "replace"), attempts(tried))


def quota(lane: Lane, now: int) -> bytes:
    """`x-ratelimit-*` as the gate's own mirror stands: what the next call will find."""
    quota = lane.gate.quota
    requests, tokens = quota.view_requests(now), quota.view_tokens(now)
    lines = b""
    if requests is not None:
        lines = _REQUESTS % (requests.limit, requests.left, -(-requests.reset_us // 1_000))
    if tokens is not None:
        lines += _TOKENS % (tokens.limit, tokens.left, -(-tokens.reset_us // 1_000))
    return lines
