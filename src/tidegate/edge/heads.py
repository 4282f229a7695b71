"""Which headers go on to the provider, which come back, and what the gate itself tells."""

from collections.abc import Sequence

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
_DIMENSION = b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %%d\r\nx-ratelimit-reset-%b: %%dms\r\n"


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


class QuotaLines:
    """`x-ratelimit-*` as the gate's own mirror stands: what the next call will find.

    The lines of a limit are written once; four numbers change from call to call.
    """

    __slots__ = ("_templates",)

    MAX_TEMPLATES = 4_096

    def __init__(self) -> None:
        self._templates: dict[tuple[bytes, int], bytes] = {}

    def of(self, lane: Lane, now: int) -> bytes:
        """The header lines; empty where nothing is limited."""
        quota = lane.gate.quota
        requests, tokens = quota.view_requests(now), quota.view_tokens(now)
        lines = b""
        if requests is not None:
            lines = self._template(b"requests", requests.limit) % (requests.left, -(-requests.reset_us // 1_000))
        if tokens is not None:
            lines += self._template(b"tokens", tokens.limit) % (tokens.left, -(-tokens.reset_us // 1_000))
        return lines

    def _template(self, name: bytes, limit: int) -> bytes:
        template = self._templates.get((name, limit))
        if template is None:
            if len(self._templates) >= self.MAX_TEMPLATES:
                self._templates.clear()
            template = self._templates[name, limit] = _DIMENSION % (name, limit, name, name)
        return template
