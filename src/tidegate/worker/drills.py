"""A worker's part in drills: where it is asked on their behalf, and which fallbacks are left out because of them.

And in shadow traffic, from the first candidate on.

The socket is open to the gate's own user alone. A call of a drill is served and recorded as any other is, and costs no
tenant anything: it has the plan `drill:NAME` in the ledger.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tidegate.edge import errors
from tidegate.edge.access.principals import Limiting
from tidegate.edge.gateway import Gateway
from tidegate.edge.task_pool import TaskPool
from tidegate.line import drilled
from tidegate.line.drilled import Asked, DrillPlans
from tidegate.line.lanes import Lanes
from tidegate.line.plan import Plan
from tidegate.line.routing_table import RoutingTable
from tidegate.model.call import Call, Kind
from tidegate.model.drills import ASKED, FAULTS, OUT, SOCKET
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.snapshot import ServerSettings, Snapshot
from tidegate.observe.log import Log
from tidegate.policy.quota.estimate import measure
from tidegate.ports import Clock
from tidegate.providers.codec import BadRequest
from tidegate.providers.dialects import CODECS, DIALECTS, OPENAI
from tidegate.wire.exchange import BUFFER, Exchange, Intake
from tidegate.wire.server import Server, serve

KINDS: Final = {b"/v1/chat/completions": Kind.CHAT, b"/v1/embeddings": Kind.EMBEDDING}
_WAITING: Final = 16
_LONGEST: Final = 1_048_576  # of the file
_LONGEST_MS: Final = 86_400_000
_FORWARD: Final = b"content-type: application/json\r\n"
_asked = msgspec.json.Decoder(Asked).decode
_out = msgspec.json.Decoder(list[tuple[str, str]]).decode


class DrillDoor:
    """Fulfils `wire.exchange.Handler`, for who asks on behalf of a drill."""

    __slots__ = ("_clock", "_crew", "_gateway", "_plans")

    def __init__(self, gateway: Gateway, plans: Callable[[], DrillPlans], clock: Clock) -> None:
        """Needs a running event loop. `plans`: by the configuration in force."""
        self._gateway = gateway
        self._plans = plans
        self._clock = clock
        self._crew = TaskPool(asyncio.get_running_loop(), gateway.pipeline.serve)

    def head(self, exchange: Exchange) -> Intake:
        """All of it is read."""
        return BUFFER

    def call(self, exchange: Exchange) -> None:
        """Serve it by the plan that it names."""
        try:
            call, plan = self._made(exchange)
        except _Unfit as unfit:
            self._gateway.replies.answer(exchange, errors.of_problem(unfit.problem, DIALECTS[OPENAI]))
            return
        self._gateway.replies.open += 1
        self._crew.start(exchange, call, plan)

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The body of an error that the wire answers."""
        return errors.of_wire(status, code, message, DIALECTS[OPENAI])

    def _made(self, exchange: Exchange) -> tuple[Call, Plan]:
        """Raises `_Unfit`."""
        kind, asked = KINDS.get(exchange.path), _read(exchange)
        plan = None if kind is None else self._plans().plan(asked)
        if kind is None or plan is None or not drilled.serves(plan, kind):
            raise _Unfit(ProblemKind.UNKNOWN_MODEL, f"{asked.model} is no target of {asked.strategy} here")
        codec, now = CODECS[kind], self._clock.now()
        try:
            read = codec.read(exchange.body)
        except BadRequest as error:
            raise _Unfit(ProblemKind.BAD_REQUEST, str(error)) from None
        size = measure(read.text, read.wide, read.escaped, read.messages, read.images, read.low_images)
        who = plan.name
        call = Call(
            self._gateway.replies.ids.next(), now, now + _deadline_us(exchange, plan), who, kind, b"POST", codec.path,
            _FORWARD, exchange.body, read.shape, size, tenant=drilled.tenant(plan), tag=who,
        )  # fmt: skip
        return call, plan


class _Unfit(Exception):
    def __init__(self, kind: ProblemKind, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind, message)


def _read(exchange: Exchange) -> Asked:
    """Whom it is for. Raises `_Unfit`."""
    try:
        asked = _asked(exchange.header(ASKED) or b"")
    except msgspec.DecodeError:
        raise _Unfit(ProblemKind.BAD_REQUEST, "The head does not say whom the drill asks.") from None
    if asked.fault and asked.fault not in FAULTS:
        raise _Unfit(ProblemKind.BAD_REQUEST, f"There is no such fault: one of {', '.join(FAULTS)}.")
    return asked


def _deadline_us(exchange: Exchange, plan: Plan) -> int:
    given = exchange.header(b"x-tidegate-deadline-ms") or b""
    stated = int(given) if given.isdigit() and len(given) < len(str(_LONGEST_MS)) + 1 else 0
    return min(stated * 1_000, plan.deadline_us) if stated else plan.deadline_us


class Drilling:
    """It stays over reloads."""

    __slots__ = (
        "_book", "_clock", "_enabled", "_limiting", "_log", "_luck", "_out", "_own", "_path", "_plans", "_seen",
        "_server", "_shadowed",
    )  # fmt: skip

    def __init__(
        self,
        state: Path,
        own: Path,
        clock: Clock,
        luck: Callable[[], float],
        log: Log,
        limiting: Limiting | None = None,
    ) -> None:
        """`own` is this worker's directory. `luck` gives uniform numbers in [0, 1).

        `limiting` says what a candidate may spend; without it none is asked.
        """
        self._own = own
        self._path = state / OUT
        self._clock = clock
        self._luck = luck
        self._log = log
        self._limiting = limiting
        self._enabled = self._shadowed = False
        self._server: Server | None = None
        self._plans: DrillPlans | None = None
        self._book: RoutingTable | None = None
        self._out: frozenset[tuple[str, str]] = frozenset()
        self._seen: tuple[int, int, int] | None = None

    def follow(self, snapshot: Snapshot, book: RoutingTable) -> None:
        """A configuration is coming into force: what is left out stays left out."""
        self._enabled = snapshot.drills.asked
        self._shadowed = any(one.shadow is not None for one in snapshot.strategies)
        self._plans = DrillPlans(snapshot, book, self._lanes)
        self._book = book
        self._seen = None
        self._look()

    async def listen(self, gateway: Gateway, settings: ServerSettings) -> None:
        """From the first drill on, be there for who asks. It never ends the worker."""
        self._ask_candidates(gateway)
        if not self._enabled or self._server is not None:
            return
        door = DrillDoor(gateway, self._now, self._clock)
        self._server = await serve((), door, msgspec.structs.replace(settings, tls=None), self._clock)
        path = self._own / SOCKET
        try:
            await self._server.listen_at(path)
        except OSError as error:
            self._log.error(
                "drills cannot reach this worker: no fallback is proved",
                socket=str(path),
                problem=error.strerror or str(error),
                remedy="choose a shorter --state-dir",
            )

    def _ask_candidates(self, gateway: Gateway) -> None:
        """From the first one on."""
        if self._shadowed and self._limiting is not None and gateway.pipeline.shadows is None:
            from tidegate.edge.shadows import Shadows  # noqa: PLC0415 - it reads answers: 10 MB for who has none

            gateway.pipeline.shadows = Shadows(gateway.pipeline, self._clock, self._limiting)

    async def look(self) -> None:
        """See whether others are left out now."""
        self._look()

    def _look(self) -> None:
        """What cannot be read changes nothing; without drills nobody is left out."""
        try:
            if not self._enabled:
                raise FileNotFoundError
            known = self._path.stat()
            seen = known.st_ino, known.st_mtime_ns, known.st_size
            if seen == self._seen:
                return
            with self._path.open("rb") as file:
                out = frozenset(_out(file.read(_LONGEST)))
        except FileNotFoundError:
            seen, out = (0, 0, 0), frozenset()
            if seen == self._seen:
                return
        except (OSError, msgspec.DecodeError) as error:
            self._log.error("it cannot be read which fallbacks are left out", problem=type(error).__name__)
            return
        self._seen = seen
        if out != self._out:
            named = ", ".join(f"{model} of {strategy}" for strategy, model in sorted(out)) or "none"
            self._log.warning("fallbacks that are left out until they pass their drill", fallbacks=named)
        self._out = out
        if self._book is not None:
            self._book.leave_out(out)

    def _now(self) -> DrillPlans:
        if self._plans is None:
            raise RuntimeError("it follows no configuration yet")
        return self._plans

    def _lanes(self) -> Lanes:
        return Lanes(self._clock, _WAITING, self._luck)
