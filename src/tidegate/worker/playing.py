"""A worker's part in the playground: calls in the name of a namespace and a user, without a key of theirs.

The socket is open to the gate's own user alone; who may ask is judged by the admin API, which is who asks. What is
asked is a call like any other: models, limits, budgets, cache, records. Only who comes is not looked at, as nobody
shows a key.
"""

from pathlib import Path
from typing import Final

import msgspec

from tidegate.edge import errors
from tidegate.edge.gateway import Gateway
from tidegate.edge.intake import Caller, Refusal
from tidegate.edge.routes import Route, dialect_of, match
from tidegate.model.errors import ProblemKind
from tidegate.model.playground import HEADER, SOCKET, read
from tidegate.model.snapshot import ServerSettings
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.providers.codec import Dialect
from tidegate.providers.dialects import DIALECTS
from tidegate.wire.exchange import BUFFER, Exchange, Intake
from tidegate.wire.server import Server, serve

_UNKNOWN: Final = "There is no namespace {} here, or no user {} of it."


class PlayDoor:
    """Fulfils `wire.exchange.Handler`, for who asks from the playground."""

    __slots__ = ("_gateway",)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def head(self, exchange: Exchange) -> Intake:
        """All of it is read."""
        return BUFFER

    def call(self, exchange: Exchange) -> None:
        """Serve it as any call; nobody is handed over to jobs, since somebody looks on."""
        runtime = self._gateway.runtime
        try:
            caller = self._caller(exchange)
        except Refusal as error:
            self._gateway.replies.answer(exchange, errors.of_problem(error.problem, _dialect(exchange)))
            return
        self._gateway.pipeline.begin(runtime, exchange, caller)

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The body of an error that the wire answers."""
        return self._gateway.refusal(path, status, code, message)

    def _caller(self, exchange: Exchange) -> Caller:
        """In whose name it is. Raises `Refusal`."""
        found, runtime = match(exchange.path), self._gateway.runtime
        if found.route is not Route.CALL:
            raise Refusal(ProblemKind.UNKNOWN_ROUTE, "The playground asks models, by the routes that name one.")
        try:
            player = read(exchange.header(HEADER) or b"")
        except msgspec.DecodeError:
            raise Refusal(ProblemKind.BAD_REQUEST, "The head does not say in whose name it asks.") from None
        client = runtime.clients.guest(player.namespace, player.user)
        if client is None:
            named = _UNKNOWN.format(player.namespace, player.user)
            raise Refusal(ProblemKind.UNKNOWN_MODEL, named, "namespace")
        caller = Caller(exchange, found.kind, client, runtime.mark)
        caller.able = caller.patient = False
        return caller


async def play(own: Path, gateway: Gateway, settings: ServerSettings, clock: Clock, log: Log) -> Server:
    """Be there for who asks, from now on; `own` is the worker's directory. It never ends the worker."""
    server, path = await serve((), PlayDoor(gateway), msgspec.structs.replace(settings, tls=None), clock), own / SOCKET
    try:
        await server.listen_at(path)
    except OSError as error:
        log.error(
            "the playground cannot reach this worker",
            socket=str(path),
            problem=error.strerror or str(error),
            remedy="choose a shorter --state-dir",
        )
    return server


def _dialect(exchange: Exchange) -> Dialect:
    found = match(exchange.path)
    return DIALECTS[dialect_of(exchange.path, found.kind, exchange.header(b"anthropic-version"))]
