"""From an exchange to a `Call`: what bad input cannot pass."""

from tidegate.edge import tags
from tidegate.edge.access.door import Admission, Place
from tidegate.edge.access.principals import Principal
from tidegate.edge.heads import combined, forwarded
from tidegate.edge.idempotency.once import MAX_KEY
from tidegate.edge.routes import PREFIX, dialect_of
from tidegate.edge.tracing import is_named
from tidegate.model.call import Call, Kind, Shape, Size
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.tenant import Tenant
from tidegate.policy.access.job_tokens import JobToken
from tidegate.policy.access.signature import BadSignature, check_body
from tidegate.policy.caching.directives import Directives, directives
from tidegate.policy.quota.estimate import measure
from tidegate.ports import BodySource
from tidegate.providers.codec import BadRequest
from tidegate.providers.dialects import CODECS
from tidegate.wire.exchange import Exchange

LONGEST_DEADLINE_MS = 86_400_000
PASS = Kind.PASS
COUNT = Kind.COUNT
_DIGITS = 18  # of a number worth reading


class Refusal(Exception):
    """The request cannot become a call."""

    def __init__(self, kind: ProblemKind, message: str, param: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(kind, message, param)


class Caller:
    """What a head says of its calls: who asks for what, and how. Made once for all heads that are alike.

    It holds as long as `mark` is the runtime's.
    """

    __slots__ = (
        "able", "bodies", "circle", "client", "codec", "cut", "deadline_us", "dialect", "directives", "forward", "job",
        "kind", "limits", "mark", "method", "models", "named", "on_cut", "once", "path", "patient", "place", "retries",
        "session", "space", "tag", "tenant", "until_us", "user",
    )  # fmt: skip

    def __init__(
        self, exchange: Exchange, kind: Kind, client: Principal, mark: object, place: Place | None = None
    ) -> None:
        """Raises `Refusal`."""
        header = exchange.header
        self.mark = mark
        self.client = client.name
        self.tenant = client.tenant
        self.space = client.space  # its namespace; a key without one may be called as somebody's namespace is
        self.user = client.user
        self.until_us = client.expires_us  # on the wall clock, 0 = for ever
        self.models = client.models  # None = all
        self.cut = client if client.cut else None  # whose calls end when the key is revoked
        self.tag = tag_of(exchange)
        self.limits = client.limits  # of its namespace, user and key; None = no bound
        self.place = place  # what its requests are counted under at the door; None = they are not
        self.kind = kind
        self.codec = CODECS.get(kind)  # None for what is forwarded unread
        self.directives = _directives(exchange)
        self.circle = 0  # of those whose equal bodies ask for the same answer; 0 = not known yet
        self.bodies = client.bodies if self.codec is not None else None  # who keeps what its calls say
        self.dialect = dialect_of(exchange.path, kind, header(b"anthropic-version"))
        self.method = exchange.method
        self.path = _below(exchange)
        self.deadline_us = _deadline_ms(exchange) * 1_000  # 0 = not stated
        self.forward = forwarded(exchange.headers, header(b"connection"), coded=kind is PASS)
        self.on_cut = _on_cut(exchange)
        self.once = _idempotency_key(exchange) if self.codec is not None else b""
        self.session = header(b"x-tidegate-session") or b""
        self.retries = (header(b"x-stainless-retry-count") or b"0") != b"0"
        self.named = is_named(exchange)  # each of its calls has a name of its own
        self.job = ""  # that its calls are of
        self.able = kind is not PASS and kind is not COUNT  # to wait for a job
        self.patient = self.able and _respond_async(header(b"prefer"))  # and would rather come back for the answer

    def employ(self, ticket: JobToken, tenant: Tenant) -> None:
        """It is the call of a job, which is served for this tenant while the ticket is valid."""
        self.job = f"{ticket.job}#{ticket.fence}"
        self.tenant = tenant
        self.until_us = min(self.until_us or ticket.until_us, ticket.until_us)
        self.able = self.patient = False


def read_call(caller: Caller, body: bytes, call_id: int, now: int) -> Call:
    """A call of a JSON body that is routed by its model. Raises `Refusal`."""
    codec = caller.codec
    if codec is None:
        raise TypeError("what is forwarded as it is has no codec")
    try:
        asked = codec.read(body)
    except BadRequest as error:
        raise Refusal(ProblemKind.BAD_REQUEST, str(error), error.param) from None
    size = measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images)
    return _call(caller, body, asked.shape, size, call_id, now)


def forward_call(caller: Caller, exchange: Exchange, call_id: int, now: int) -> Call:
    """A call whose body is forwarded as it is."""
    return _call(caller, body_of(exchange), Shape(""), Size(), call_id, now)


def check_signed(guest: Admission, body: bytes) -> None:
    """Where a head was signed, its body is the one that was signed with it. Raises `Refusal`."""
    if guest.digest is not None:
        try:
            check_body(guest.digest, body)
        except BadSignature as error:
            raise Refusal(ProblemKind.BAD_SIGNATURE, str(error), "content-digest") from None


def _call(caller: Caller, body: bytes | BodySource, shape: Shape, size: Size, call_id: int, now: int) -> Call:
    return Call(
        call_id,
        now,
        now + caller.deadline_us if caller.deadline_us else 0,
        caller.client,
        caller.kind,
        caller.method,
        caller.path,
        caller.forward,
        body,
        shape,
        size,
        caller.retries,
        caller.tenant,
        caller.dialect,
        caller.on_cut,
        caller.user,
        caller.tag,
        caller.job,
    )


def _below(exchange: Exchange) -> bytes:
    """Path and query below the provider's base URL, whatever the form of the request's target."""
    path = exchange.path[len(PREFIX) :]
    return b"%b?%b" % (path, exchange.query) if exchange.query else path


def body_of(exchange: Exchange) -> bytes | BodySource:
    """A body that is there may arrive as long as it likes; a request without one can be sent again."""
    if exchange.body:
        return exchange.body  # it was signed, and read whole
    for name, value in exchange.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return exchange.source
    return b""


def _deadline_ms(exchange: Exchange) -> int:
    """What the client asks for in `x-tidegate-deadline-ms`; 0 = nothing."""
    value = exchange.header(b"x-tidegate-deadline-ms")
    if value is None:
        return 0
    if not value.isdigit() or len(value) > _DIGITS or not 0 < int(value) <= LONGEST_DEADLINE_MS:
        raise Refusal(
            ProblemKind.BAD_REQUEST,
            f"Invalid x-tidegate-deadline-ms. Send whole milliseconds from 1 to {LONGEST_DEADLINE_MS}.",
            "x-tidegate-deadline-ms",
        )
    return int(value)


def _on_cut(exchange: Exchange) -> str:
    """What the client wants of a stream that is cut, "" when it does not say."""
    value = (exchange.header(b"x-tidegate-on-cut") or b"").decode("latin-1")
    if value not in ("", "fail", "continue", "restart"):
        message = "Invalid x-tidegate-on-cut. Send fail, continue or restart."
        raise Refusal(ProblemKind.BAD_REQUEST, message, "x-tidegate-on-cut")
    return value


def tag_of(exchange: Exchange) -> str:
    """The client's own words for what its call is for. Raises `Refusal`."""
    if exchange.header(tags.NAME) is None:
        return ""
    try:
        return tags.tags(exchange.headers)
    except ValueError as error:
        raise Refusal(ProblemKind.BAD_REQUEST, str(error), "x-tidegate-tag") from None


def _directives(exchange: Exchange) -> Directives:
    """What the client wants of the cache."""
    standard, own = exchange.header(b"cache-control"), exchange.header(b"x-tidegate-cache")
    if standard is not None:
        standard = combined(exchange.headers, b"cache-control")
    if own is not None:
        own = combined(exchange.headers, b"x-tidegate-cache")
    try:
        return directives(standard, own)
    except ValueError as error:
        raise Refusal(ProblemKind.BAD_REQUEST, str(error), "x-tidegate-cache") from None


def _respond_async(preference: bytes | None) -> bool:
    """Whether the client would rather be told where its answer will be (RFC 7240, 4.1)."""
    if preference is None:
        return False
    return any(one.partition(b";")[0].strip().lower() == b"respond-async" for one in preference.split(b","))


def _idempotency_key(exchange: Exchange) -> bytes:
    """The key under which the call is executed once, b"" for none."""
    key = exchange.header(b"idempotency-key")
    if key is None:
        return b""
    if not 0 < len(key) <= MAX_KEY:
        raise Refusal(
            ProblemKind.BAD_REQUEST, f"Invalid Idempotency-Key. Send 1 to {MAX_KEY} characters.", "idempotency-key"
        )
    return key
