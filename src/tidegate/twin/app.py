"""A whole twin on one port: the router, and starting and stopping."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, Final

from tidegate.model.snapshot import ServerSettings
from tidegate.ports import Clock, Timer
from tidegate.twin import problems
from tidegate.twin.calls import KEPT_BODY
from tidegate.twin.control import Control
from tidegate.twin.desks import BASES, Desk, desks
from tidegate.twin.lean import serve_lean
from tidegate.twin.passthrough import STREAMED
from tidegate.twin.problems import Problem
from tidegate.twin.settings import Settings
from tidegate.twin.state import State
from tidegate.twin.tokens import Tokenizer
from tidegate.wire.exchange import Exchange, Intake
from tidegate.wire.server import Server, serve

_ECHOES: Final = "/openai/v1"
_SERVER: Final = ServerSettings(max_body_bytes=134_217_728, max_connections=100_000, idle_timeout_us=300_000_000)
_LONG_US: Final = 3_600_000_000


class Router:
    """The wire's handler: which dialect answers what."""

    __slots__ = ("_control", "_desks", "_state")

    def __init__(self, state: State, control: Control) -> None:
        self._state = state
        self._control = control
        self._desks = {desk.dialect.name: desk for desk in desks(state)}

    def head(self, exchange: Exchange) -> Intake:
        """Uploads and echoes are read as they come, everything else whole."""
        path = exchange.path.decode("latin-1")
        streamed = path.startswith(_ECHOES) and path[len(_ECHOES) :] in STREAMED
        return Intake.STREAM if streamed else Intake.BUFFER

    def call(self, exchange: Exchange) -> None:
        """Answer one request."""
        path = exchange.path.decode("latin-1")
        desk = self._desks.get(_first(path))
        if desk is not None:
            self._ask(exchange, desk)
        elif path.startswith("/twin/"):
            self._control.answer(exchange)
        else:
            problem = problems.unknown_url(exchange.method.decode("latin-1"), path)
            exchange.respond(404, b"content-type: application/json\r\n", problem.body)

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The body of an error that the wire answers."""
        problem = Problem(status, message, code=code)
        desk = self._desks.get(_first(path.decode("latin-1")))
        return problem.body if desk is None else desk.dialect.error(problem, "")

    def _ask(self, exchange: Exchange, desk: Desk) -> None:
        state, dialect = self._state, desk.dialect
        call = state.call(exchange.method, exchange.path)
        call.headers = exchange.headers
        call.body = exchange.body[:KEPT_BODY]
        call.provider = dialect.name
        call.key = dialect.key(exchange)
        owner = state.directory.organisation(call.key) if call.key else None
        try:
            endpoint = dialect.endpoint(exchange)
            if owner is None:
                raise dialect.stranger(call.key)
        except Problem as problem:
            state.directory.ledger.stray.called()
            desk.replies.problem(exchange, call, problem)
            return
        call.organisation = owner.name
        desk.governed.answer(exchange, call, owner, endpoint)


def _first(path: str) -> str:
    """The first part of a path."""
    return path[1:].partition("/")[0]


class Twin:
    """A running twin: `await start(…)`, read `url`, `close()`. Loading its tokenizer takes 0.7 s, once per process."""

    __slots__ = ("_clock", "_host", "_port", "_servers", "_socket", "_tasks", "_timer", "router", "state")

    def __init__(self, settings: Settings, clock: Clock, tokenizer: Tokenizer | None = None) -> None:
        self._clock = clock
        self.state = State(settings, clock, tokenizer or Tokenizer())
        self.router = Router(self.state, Control(self.state, self.refuse))
        self._servers: list[Server] = []
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._host, self._port = "127.0.0.1", 0

    @property
    def origin(self) -> str:
        """`http://host:port`, where `/twin/*` lives."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def url(self) -> str:
        """The base URL of OpenAI's dialect."""
        return self.origin + "/openai/v1"

    def base(self, provider: str) -> str:
        """What the official SDK of a provider takes as its base URL."""
        return self.origin + BASES[provider]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises `OSError`."""
        self._host, self._port = host, port
        await self._listen()

    def refuse(self, duration: int) -> None:
        """Refuse connections for `duration` microseconds: idle ones are closed, running calls go on."""
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + duration, self._listen_again)
            asyncio.get_running_loop().call_soon(self._deafen)

    def close(self) -> None:
        """Stop at once; running calls are cut."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        for server in self._servers:
            server.close()
        self._close_socket()

    def _deafen(self) -> None:
        self._spawn(self._drain(self._servers[-1]))
        asyncio.get_running_loop().call_soon(self._close_socket)  # after the server has let go of it

    async def _drain(self, server: Server) -> None:
        await server.drain(self._clock.now() + _LONG_US)
        self._servers.remove(server)

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _listen_again(self) -> None:
        self._timer = None
        self._spawn(self._listen())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.create_server((self._host, self._port), family=family, backlog=4_096)
        self._socket.setblocking(False)
        self._port = self._socket.getsockname()[1]
        if self.state.settings.lean:
            self._servers.append(await serve_lean(self._socket, self.state, self.router, _SERVER))
        else:
            self._servers.append(await serve(self._socket, self.router, _SERVER, self._clock))
