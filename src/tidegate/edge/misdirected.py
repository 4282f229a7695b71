"""Requests for what is not there: refused by method and path alone."""

from typing import Final

from tidegate.edge import errors
from tidegate.edge.routes import Match, Route
from tidegate.model.errors import Problem, ProblemKind
from tidegate.providers.codec import Dialect
from tidegate.wire.exchange import Exchange

_OURS_TO_READ: Final = frozenset({Route.MODELS, Route.ALIVE, Route.READY})
_READING: Final = (b"GET", b"HEAD")


def misdirected(exchange: Exchange, found: Match, dialect: Dialect) -> errors.Reply | None:
    """Why nobody here answers it; None when somebody does."""
    route, method = found.route, exchange.method
    path = exchange.path.decode("latin-1")
    if route is Route.UNKNOWN:
        message = f"Unknown URL: {method.decode('latin-1')} {path}. The API is below /v1."
        return errors.of_problem(Problem(ProblemKind.UNKNOWN_ROUTE, message), dialect)
    if route is Route.REFUSED:
        message = "Realtime sessions (WebSocket) are not carried by Tidegate. Use /v1/chat/completions with stream."
        return errors.of_problem(Problem(ProblemKind.UNSUPPORTED, message), dialect)
    if route is Route.CALL and method != b"POST":
        return errors.of_wrong_method(path, "POST", dialect)
    if route in _OURS_TO_READ and method not in _READING:
        return errors.of_wrong_method(path, "GET, HEAD", dialect)
    return None
