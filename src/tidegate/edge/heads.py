"""Which headers go on to the provider, which come back, and what the gate itself tells."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tidegate.edge.returned import Returned, ReturnedOf
from tidegate.line.attempt import Answered
from tidegate.line.lane import Lane
from tidegate.model.call import Attempt, Call
from tidegate.model.jobs import CALLER_HEADER, HOLD_HEADER, TICKET_HEADER
from tidegate.model.playground import HEADER as PLAY_HEADER
from tidegate.model.reply import Headers
from tidegate.policy.quota.allowance import View

# Hop-by-hop (RFC 9110 7.6.1), framing, the client's credentials, what belongs to the gate, and what some servers
# believe more than the method and path that were checked here.
_NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade http2-settings content-length expect authorization api-key x-api-key x-goog-api-key cookie forwarded "
    b"x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-uri x-real-ip "
    b"x-http-method x-http-method-override x-method-override x-original-uri x-original-url x-rewrite-url "
    b"x-request-id openai-organization openai-project traceparent tracestate "
    b"signature signature-input content-digest x-tidegate-deadline-ms x-tidegate-on-cut x-tidegate-provider "
    b"x-tidegate-session x-tidegate-tag x-tidegate-cache".split()
) | {TICKET_HEADER, CALLER_HEADER, HOLD_HEADER, PLAY_HEADER}
_FOR_A_JOB: Final = frozenset((b"x-tidegate-cache", b"x-tidegate-session"))  # what they say holds when it runs
_USUAL = (b"keep-alive", b"close")  # values of `connection` that name no header
# A governed answer must come uncoded, since its usage is read; and its idempotency is the gate's.
_NOT_FORWARDED_UNCODED = _NOT_FORWARDED | {b"accept-encoding", b"idempotency-key"}
# A reply of the desk may hold a URL of the gate: a proxy in front says how the client reached it.
_NOT_TO_THE_DESK: Final = _NOT_FORWARDED - _FOR_A_JOB - {b"x-forwarded-proto", b"traceparent", b"tracestate"}
_NOT_FROM_THE_DESK: Final = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length date server".split()
)
_IDS: Final = frozenset((b"x-request-id", b"request-id"))
_JSON: Final = b"content-type: application/json\r\n"
_EVENTS: Final = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
_ONES_OWN: Final = (b"x-request-id:", b"request-id:", b"x-tidegate-wait-ms:", b"x-tidegate-cache:")
_OWN_WORDS: Final = frozenset((b"semantic", b"stale"))
_RATELIMIT = (
    b"anthropic-ratelimit-%b-limit: %d\r\nanthropic-ratelimit-%b-remaining: %d\r\nanthropic-ratelimit-%b-reset: %b\r\n"
)


def forwarded(headers: Headers, connection: bytes | None, *, coded: bool) -> bytes:
    """The client's header lines for the provider, without those that its `connection` names.

    `coded`: the client's choice of content coding goes with them.
    """
    dropped = _NOT_FORWARDED if coded else _NOT_FORWARDED_UNCODED
    if connection is not None and connection not in _USUAL:
        dropped |= {name.strip() for name in connection.lower().split(b",")}
    return b"".join([b"%b: %b\r\n" % header for header in headers if header[0] not in dropped])


def to_the_desk(headers: Headers, connection: bytes | None) -> bytes:
    """The client's header lines for the desk of patient work, by the same rules."""
    dropped = _NOT_TO_THE_DESK
    if connection is not None and connection not in _USUAL:
        dropped |= {name.strip() for name in connection.lower().split(b",")}
    return b"".join([b"%b: %b\r\n" % header for header in headers if header[0] not in dropped])


def from_the_desk(headers: Headers, request_id: bytes, *, named: bool, replays: bool) -> bytes:
    """Its header lines for the client. `request_id` where the client has `named` its request, or they name none.

    `replays`: where the request was asked before, the client had a key for that.
    """
    dropped = _NOT_FROM_THE_DESK if replays else _NOT_FROM_THE_DESK | {b"idempotent-replayed"}
    unnamed = named or not any(name == b"x-request-id" for name, _ in headers)
    if unnamed:
        dropped |= _IDS
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] not in dropped]
    if unnamed:
        lines.append(b"x-request-id: %b\r\nrequest-id: %b\r\n" % (request_id, request_id))
    return b"".join(lines)


def combined(headers: Headers, name: bytes) -> bytes:
    """All lines of this name as one, in their order (RFC 9110, 5.3)."""
    return b",".join([value for own, value in headers if own == name])


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
    lines = [
        Returned().of(answered.headers, answered.shown),
        _told(request_id, waited_us),
        b"request-id: %b\r\n" % request_id,
    ]
    lines.append(_answered(answered.lane, call.attempts))
    quota, outputs = answered.lane.quota, answered.lane.outputs
    of_tokens = b"tokens" if outputs is None else b"input-tokens"
    made = None if outputs is None else outputs.view(now)
    views = ((b"requests", quota.view_requests(now)), (of_tokens, quota.view_tokens(now)), (b"output-tokens", made))
    for name, view in views:
        if view is not None:
            full = datetime.fromtimestamp(-(-(wall + view.reset_us) // 1_000_000), UTC)
            lines.append(_RATELIMIT % (name, view.limit, name, view.left, name, f"{full:%Y-%m-%dT%H:%M:%SZ}".encode()))
    return b"".join(lines)


def cached(
    request_id: bytes, model: str, layer: str, source: int, similarity_permille: int, streamed: bool, age_us: int
) -> bytes:
    """The head of an answer that was not made for this call, and which call it was made for.

    RFC 9111 5.1 for its age, in whole seconds. `similarity_permille` is told of answers to other questions.
    """
    word = layer.encode()
    return (
        b"%bx-request-id: %b\r\nrequest-id: %b\r\nage: %d\r\nx-tidegate-cache: %b\r\n"
        b"x-tidegate-cache-source: req_%x; %b%b\r\nx-tidegate-target: %b\r\n"
    ) % (
        _EVENTS if streamed else _JSON,
        request_id,
        request_id,
        age_us // 1_000_000,
        word if word in _OWN_WORDS else b"hit",
        source,
        word,
        b"; similarity=%d.%03d" % divmod(similarity_permille, 1_000) if word == b"semantic" else b"",
        model.encode("latin-1", "replace"),
    )


def anothers(head: bytes, request_id: bytes) -> bytes:
    """The head of an error that another call of the same request was told, for this one."""
    own = b"x-request-id: %b\r\nrequest-id: %b\r\n" % (request_id, request_id)
    return b"".join([line for line in head.splitlines(keepends=True) if not line.startswith(_ONES_OWN)]) + own


def asked(cache: str) -> bytes:
    """That the cache was asked, and did not answer."""
    return b"x-tidegate-cache: bypass\r\n" if cache.startswith("bypass") else b"x-tidegate-cache: miss\r\n"


class Story:
    """The head of an answer: what the provider said, and what the gate tells of the call.

    That is its id, its waiting, which target answered, and how that target's quota stands: `x-ratelimit-*` is the
    gate's own mirror, what the next call will find.
    """

    __slots__ = ("_answered", "_requests", "_returned", "_tokens")

    MAX_TARGETS: Final = 4_096

    def __init__(self) -> None:
        self._answered: dict[str, bytes] = {}  # at the first attempt, by target: the usual case, written once
        self._returned = ReturnedOf()
        self._requests = _Standing(b"requests")
        self._tokens = _Standing(b"tokens")

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
        at_once = len(tried) == 1 and tried[0].status == 200
        return b"%b%b%b%b%b" % (
            self._returned.of(lane.service.name, headers, shown),
            _told(request_id, waited_us),
            self._at_once(lane, tried) if at_once else _answered(lane, tried),
            self._requests.of(quota.view_requests(now)),
            self._tokens.of(quota.view_tokens(now)),
        )

    def told(self, request_id: bytes, waited_us: int) -> bytes:
        """The lines of a reply that no target gave; its id by the names of both makers."""
        return _told(request_id, waited_us) + b"request-id: %b\r\n" % request_id

    def _at_once(self, lane: Lane, tried: Sequence[Attempt]) -> bytes:
        lines = self._answered.get(lane.name)
        if lines is None:
            if len(self._answered) >= self.MAX_TARGETS:
                self._answered.clear()
            lines = self._answered[lane.name] = _answered(lane, tried)
        return lines


def _told(request_id: bytes, waited_us: int) -> bytes:
    return b"x-request-id: %b\r\nx-tidegate-wait-ms: %d\r\n" % (request_id, waited_us // 1_000)


def _answered(lane: Lane, tried: Sequence[Attempt]) -> bytes:
    """Which target answered, after which attempts."""
    return b"x-tidegate-target: %b\r\n%b" % (lane.name.encode("latin-1", "replace"), attempts(tried))


class _Standing:
    """One dimension of a quota as clients are told of it. What stands around its figures is written once a limit."""

    __slots__ = ("_before", "_between", "_limit", "_name")

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._limit = -1
        self._before = b""
        self._between = b"\r\nx-ratelimit-reset-%b: " % name

    def of(self, view: View | None) -> bytes:
        if view is None:
            return b""
        limit = view.limit
        if limit != self._limit:
            self._limit, name = limit, self._name
            self._before = b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: " % (name, limit, name)
        # Formats that stand where they are used are filled in by compiled code, at a third of the cost.
        return b"%b%d%b%dms\r\n" % (self._before, view.left, self._between, -(-view.reset_us // 1_000))
