"""Which headers go on to the provider, which come back, and what the gate itself tells."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tidegate.line.attempt import Answered
from tidegate.line.lane import Lane
from tidegate.model.call import Attempt, Call
from tidegate.model.reply import Headers
from tidegate.policy.quota import Quota

# Hop-by-hop (RFC 9110 7.6.1), framing, the client's credentials, and what belongs to the gate.
_NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade http2-settings content-length expect authorization api-key x-api-key x-goog-api-key cookie forwarded "
    b"x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip x-request-id openai-organization openai-project "
    b"x-tidegate-deadline-ms x-tidegate-on-cut x-tidegate-provider x-tidegate-session".split()
)
_USUAL = (b"keep-alive", b"close")  # values of `connection` that name no header
# A governed answer must come uncoded, since its usage is read; and its idempotency is the gate's.
_NOT_FORWARDED_UNCODED = _NOT_FORWARDED | {b"accept-encoding", b"idempotency-key"}
_NOT_RETURNED = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade content-length "
    b"date server retry-after retry-after-ms x-should-retry alt-svc strict-transport-security set-cookie x-request-id "
    b"x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests x-ratelimit-remaining-tokens "
    b"x-ratelimit-reset-requests x-ratelimit-reset-tokens request-id".split()
) | {
    b"anthropic-ratelimit-%b-%b" % (dimension, figure)
    for dimension in (b"requests", b"tokens", b"input-tokens", b"output-tokens")
    for figure in (b"limit", b"remaining", b"reset")
}
_TOLD = b"x-request-id: %b\r\nx-tidegate-wait-ms: %d\r\n"
_RATELIMIT = (
    b"anthropic-ratelimit-%b-limit: %d\r\nanthropic-ratelimit-%b-remaining: %d\r\nanthropic-ratelimit-%b-reset: %b\r\n"
)
_DIMENSION = b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %%d\r\nx-ratelimit-reset-%b: %%dms\r\n"


def forwarded(headers: Headers, connection: bytes | None, *, coded: bool) -> bytes:
    """The client's header lines for the provider, without those that its `connection` names.

    `coded`: the client's choice of content coding goes with them.
    """
    dropped = _NOT_FORWARDED if coded else _NOT_FORWARDED_UNCODED
    if connection is not None and connection not in _USUAL:
        dropped |= {name.strip() for name in connection.lower().split(b",")}
    return b"".join([b"%b: %b\r\n" % header for header in headers if header[0] not in dropped])


def returned(headers: Headers, shown: dict[bytes, bytes]) -> list[bytes]:
    """The provider's header lines for the client, without what the gate says itself; its request id renamed.

    `shown` holds the same headers by name.
    """
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] not in _NOT_RETURNED]
    request_id = shown.get(b"x-request-id") or shown.get(b"request-id")
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


def less(call: Call) -> bytes:
    """What the call was given less of, to be served at all, and which of its fields the provider cannot be told."""
    return _listed(b"x-tidegate-degraded", call.degraded) + _listed(b"x-tidegate-dropped", call.dropped)


def _listed(name: bytes, words: Sequence[str]) -> bytes:
    return b"%b: %b\r\n" % (name, ", ".join(words).encode("latin-1", "replace")) if words else b""


def anthropic(answered: Answered, call: Call, request_id: bytes, waited_us: int, now: int, wall: int) -> bytes:
    """The head of an answer in Anthropic's names: `request-id`, and `anthropic-ratelimit-*` from the gate's own mirror.

    Resets are RFC 3339 moments of full replenishment, in whole seconds, rounded up. `wall`: microseconds since 1970.
    """
    back = b"".join(returned(answered.headers, answered.shown)) + _TOLD % (request_id, waited_us // 1_000)
    lines = [back, b"request-id: %b\r\n" % request_id, _answered(answered.lane, call.attempts)]
    quota = answered.lane.quota
    for name, view in ((b"requests", quota.view_requests(now)), (b"tokens", quota.view_tokens(now))):
        if view is not None:
            full = datetime.fromtimestamp(-(-(wall + view.reset_us) // 1_000_000), UTC)
            lines.append(_RATELIMIT % (name, view.limit, name, view.left, name, f"{full:%Y-%m-%dT%H:%M:%SZ}".encode()))
    return b"".join(lines)


class _Template:
    """The lines of one target's answers whose replies have these headers; `names` are those whose values it wants."""

    __slots__ = ("lines", "names")

    def __init__(self, lines: bytes, names: list[bytes]) -> None:
        self.lines = lines
        self.names = names


class Story:
    """The head of an answer: what the provider said, and what the gate tells of the call.

    That is its id, its waiting, which target answered, and how that target's quota stands: `x-ratelimit-*` is the
    gate's own mirror, what the next call will find. In the usual case, one attempt and both dimensions limited, only
    values change from call to call; the lines are written once per target and set of headers.
    """

    __slots__ = ("_templates",)

    MAX_TEMPLATES: Final = 4_096

    def __init__(self) -> None:
        self._templates: dict[tuple[str, int, int, tuple[bytes, ...]], _Template] = {}

    def of(
        self,
        lane: Lane,
        tried: Sequence[Attempt],
        request_id: bytes,
        waited_us: int,
        now: int,
        headers: Headers,
        shown: dict[bytes, bytes],
    ) -> bytes:
        """The header lines of an answer; `shown` holds the provider's `headers` by name."""
        quota = lane.quota
        plain = len(tried) == 1 and tried[0].status == 200 and len(shown) == len(headers)
        if not plain or not quota.requests or not quota.tokens:
            back = b"".join(returned(headers, shown))
            return back + self.told(request_id, waited_us) + _answered(lane, tried) + _stands(quota, now)
        requests, tokens = quota.requests[0].view(now), quota.tokens[0].view(now)
        template = self._templates.get((lane.name, requests.limit, tokens.limit, tuple(shown)))
        if template is None:
            template = self._write(lane, tried, requests.limit, tokens.limit, tuple(shown))
        return template.lines % (
            *map(shown.__getitem__, template.names),
            request_id,
            waited_us // 1_000,
            requests.left,
            -(-requests.reset_us // 1_000),
            tokens.left,
            -(-tokens.reset_us // 1_000),
        )

    def told(self, request_id: bytes, waited_us: int) -> bytes:
        """The lines of a reply that no target gave."""
        return _TOLD % (request_id, waited_us // 1_000)

    def _write(
        self, lane: Lane, tried: Sequence[Attempt], requests: int, tokens: int, shown: tuple[bytes, ...]
    ) -> _Template:
        if len(self._templates) >= self.MAX_TEMPLATES:
            self._templates.clear()
        names = [name for name in shown if name not in _NOT_RETURNED]
        back = [b"%b: %%b\r\n" % name.replace(b"%", b"%%") for name in names]
        upstream_id = next((name for name in (b"x-request-id", b"request-id") if name in shown), None)
        if upstream_id is not None:
            names.append(upstream_id)
            back.append(b"x-tidegate-upstream-request-id: %b\r\n")
        answered = _answered(lane, tried).replace(b"%", b"%%")
        quota = _template(b"requests", requests) + _template(b"tokens", tokens)
        template = _Template(b"".join(back) + _TOLD + answered + quota, names)
        self._templates[lane.name, requests, tokens, shown] = template
        return template


def _answered(lane: Lane, tried: Sequence[Attempt]) -> bytes:
    """Which target answered, after which attempts."""
    return b"x-tidegate-target: %b\r\n%b" % (lane.name.encode("latin-1", "replace"), attempts(tried))


def _stands(quota: Quota, now: int) -> bytes:
    lines = b""
    for name, view in ((b"requests", quota.view_requests(now)), (b"tokens", quota.view_tokens(now))):
        if view is not None:
            lines += _template(name, view.limit) % (view.left, -(-view.reset_us // 1_000))
    return lines


def _template(name: bytes, limit: int) -> bytes:
    return _DIMENSION % (name, limit, name, name)
