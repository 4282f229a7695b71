"""From an exchange to a `Call`: what bad input cannot pass."""

from tidegate.edge.heads import forwarded
from tidegate.edge.routes import PREFIX
from tidegate.model.call import Call, Kind, Shape, Size
from tidegate.model.errors import Problem, ProblemKind
from tidegate.policy.estimate import measure
from tidegate.ports import BodySource
from tidegate.providers import openai
from tidegate.wire.exchange import Exchange

LONGEST_DEADLINE_MS = 86_400_000
_DIGITS = 18  # of a number worth reading


class Refusal(Exception):
    """The request cannot become a call."""

    def __init__(self, kind: ProblemKind, message: str, param: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(kind, message, param)


def read_call(exchange: Exchange, kind: Kind, call_id: int, client: str, now: int) -> Call:
    """A call of a JSON body that is routed by its model. Raises `Refusal`."""
    try:
        asked = openai.read(kind, exchange.body)
    except openai.BadRequest as error:
        raise Refusal(ProblemKind.BAD_REQUEST, str(error), error.param) from None
    size = measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images)
    return _call(exchange, kind, asked.shape, size, call_id, client, now)


def forward_call(exchange: Exchange, call_id: int, client: str, now: int) -> Call:
    """A call whose body is forwarded as it is."""
    return _call(exchange, Kind.PASS, Shape(""), Size(), call_id, client, now)


def _call(exchange: Exchange, kind: Kind, shape: Shape, size: Size, call_id: int, client: str, now: int) -> Call:
    asked_ms = _deadline_ms(exchange)
    return Call(
        id=call_id,
        arrived=now,
        deadline=now + asked_ms * 1_000 if asked_ms else 0,
        client=client,
        kind=kind,
        method=exchange.method,
        path=_below(exchange),
        forward=forwarded(exchange.headers, exchange.header(b"connection"), coded=kind is Kind.PASS),
        body=_body(exchange) if kind is Kind.PASS else exchange.body,
        shape=shape,
        size=size,
        client_retry=(exchange.header(b"x-stainless-retry-count") or b"0") != b"0",
    )


def _below(exchange: Exchange) -> bytes:
    """Path and query below the provider's base URL, whatever the form of the request's target."""
    path = exchange.path[len(PREFIX) :]
    return b"%b?%b" % (path, exchange.query) if exchange.query else path


def _body(exchange: Exchange) -> bytes | BodySource:
    """A body that is there may arrive as long as it likes; a request without one can be sent again."""
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
