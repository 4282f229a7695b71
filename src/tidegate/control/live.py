"""What happens now, for whoever looks on: made once a second, in a thread, however many they are; by nobody's look not.

Nobody has a queue here: who is slow is shown the newest when it can take it, and who takes nothing is let go.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.control.windows import Glance, StandingWatch, error_permille
from tidegate.model.jobs import DEAD, QUEUED, RUNNING
from tidegate.observe import live
from tidegate.observe.live import LiveAlert, LiveCache, LiveCalls, LiveJobs, LiveLane, LiveState, LiveWorkers, Sentence
from tidegate.observe.log import Log
from tidegate.observe.recent import Points
from tidegate.observe.sentence import sentence
from tidegate.units import DAY_US

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MOST: Final = 64  # who may look on at a time
_EVERY: Final = 1.0
_AGAIN: Final = 5.0  # seconds between questions to the database
_PATIENCE: Final = 1.0  # seconds for its first answer
_NANO: Final = 1_000_000_000


class Full(Exception):
    """So many look on already."""


class Noted(NamedTuple):
    """What only the database knows, as of some seconds ago."""

    spend_nano: int = 0
    alerts: tuple[LiveAlert, ...] = ()


class Event(NamedTuple):
    """One second: `number` grows by one, `at_us` is its moment."""

    number: int
    at_us: int
    data: bytes


class Live:
    """One for the process. `watch`, `board` and what the database says may be asked by any thread."""

    __slots__ = (
        "_asked", "_board", "_declaration", "_engine_of", "_event", "_log", "_looking", "_noted", "_task", "_turn",
        "_wall", "_watch",
    )  # fmt: skip

    def __init__(
        self,
        watch: StandingWatch,
        board: Board,
        declaration: Declaration,
        engine_of: "Callable[[], Engine | None]",
        wall: Callable[[], int],
        log: Log,
    ) -> None:
        """`wall` tells microseconds since 1970. Nothing is done before somebody looks."""
        self._watch = watch
        self._board = board
        self._declaration = declaration
        self._engine_of = engine_of
        self._wall = wall
        self._log = log
        self._looking = 0
        self._noted = Noted()
        self._asked = -_AGAIN
        self._event = Event(0, 0, b"")
        self._turn: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def looking(self) -> int:
        """How many look on."""
        return self._looking

    def enter(self) -> None:
        """Somebody looks on; needs a running event loop. Raises `Full`."""
        if self._looking >= MOST:
            raise Full
        self._looking += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self) -> None:
        """Somebody looks away."""
        self._looking -= 1

    async def next(self, seen: int) -> Event:
        """The newest event, as soon as there is one after `seen`."""
        while self._event.number <= seen or not self._event.data:
            if self._turn is None:
                self._turn = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._turn)
        return self._event

    def lanes(self) -> list[LiveLane]:
        """Every lane as it stands, those first that somebody should look at. O(lanes), for any thread."""
        glance = self._watch.glance()
        return live.lanes(glance.standing, glance.told)

    def recent(self, seconds: int, wanted: Collection[str], most: int) -> Points:
        """The last seconds, as `Recent.points`."""
        return self._watch.recent(seconds, wanted, most)

    async def now(self) -> bytes:
        """How it stands at this moment, for who asks once."""
        await self._known()
        return (await asyncio.to_thread(self._made))[1]

    async def _run(self) -> None:
        """Until nobody looks."""
        beside = await self._known()
        while self._looking:
            began = time.monotonic()
            try:
                at_us, data = await asyncio.to_thread(self._made)
            except Exception as error:  # noqa: BLE001 - a defect of ours: who looks on hears that it goes on
                self._log.error("what happens now cannot be shown", problem=type(error).__name__)
            else:
                self._event = Event(self._event.number + 1, at_us, data)
                turn, self._turn = self._turn, None
                if turn is not None:
                    turn.set_result(None)
            if beside.done() and began - self._asked >= _AGAIN:
                beside = asyncio.create_task(asyncio.to_thread(self._note))
            await asyncio.sleep(max(0.0, _EVERY - (time.monotonic() - began)))
        self._task = None  # in the same turn as the look

    async def _known(self) -> "asyncio.Task[None]":
        """Ask the database, and wait for it a moment: nobody is shown that nothing was spent."""
        old = time.monotonic() - self._asked >= _AGAIN
        beside = asyncio.create_task(asyncio.to_thread(self._note if old else _nothing))
        await asyncio.wait({beside}, timeout=_PATIENCE)
        return beside

    def _made(self) -> tuple[int, bytes]:
        """One event, in a thread. O(lanes)."""
        at_us = self._wall()
        state = self._state(self._watch.glance(), at_us)
        return at_us, msgspec.json.encode(state)

    def _state(self, glance: Glance, at_us: int) -> LiveState:
        standing, board, declared = glance.standing, self._board, self._declaration.now
        about, noted = board.standing, self._noted
        lanes = live.lanes(standing, glance.told)
        plans = standing.plans
        state = LiveState(
            at=live.moment(at_us) or "",
            node=self._watch.node,
            ready=about.ready,
            draining=about.draining,
            version=about.version,
            workers=LiveWorkers(sum(one.ready for one in about.workers), len(about.workers)),
            lanes=lanes,
            lanes_hidden=max(0, len(lanes) - live.MOST_LANES),
            queues=live.queues(glance.told, glance.waits),
            calls=LiveCalls(
                per_second=glance.calls_milli / 1_000,
                in_flight=sum(lane.in_flight for lane in lanes),
                error_permille=error_permille(standing),
                refused_per_minute=sum(plan.refused for plan in plans),
                moved_per_minute=sum(plan.moved for plan in plans),
            ),
            cache=LiveCache(glance.asked, glance.hits),
            spend_today=_money(noted.spend_nano),
            currency=declared.ledger.currency,
            alerts=list(noted.alerts),
            sentence=Sentence(""),
            database_away=standing.database_down_since_us > 0,
            clustered=any(one.cluster is not None for one in glance.told),
            jobs=self._jobs(),
        )
        limited = {one.model: (at_us - one.since_us) // 1_000_000 for one in standing.limited if one.since_us}
        state.sentence = sentence(state, limited)
        del lanes[live.MOST_LANES :]
        return state

    def _jobs(self) -> LiveJobs | None:
        jobs = self._board.jobs
        if jobs is None:
            return None
        counts = {QUEUED: 0, RUNNING: 0, DEAD: 0}
        for depth in (*jobs.depths, *jobs.ended):
            if depth.state in counts:
                counts[depth.state] += depth.jobs
        return LiveJobs(*counts.values())

    def _note(self) -> None:
        """Ask the database, in a thread of its own: whatever it does, events go on."""
        self._asked = time.monotonic()
        engine = self._engine_of()
        if engine is None:
            self._asked = -_AGAIN  # the ledger begins soon
            return
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the database's imports

        try:
            with engine.connect() as connection:
                self._noted = _noted(connection, self._wall())
        except SQLAlchemyError:
            return  # the standing says that it is away


def _nothing() -> None:
    """It is known."""


def _noted(connection: "Connection", wall: int) -> Noted:
    from tidegate.alerts.look import worst_first  # noqa: PLC0415
    from tidegate.store import alerts, reports  # noqa: PLC0415

    began = wall - wall % DAY_US
    spent = sum(reports.costs(connection, began, began + DAY_US, {}).values())
    firing = [alert for alert in alerts.load(connection).alerts if alert.fires]
    shown = tuple(
        LiveAlert(
            one.id,
            one.rule,
            one.severity,
            live.moment(one.fired_us or one.since_us) or "",
            " ".join(value for _, value in one.labels if value),
        )
        for one in worst_first(firing)[: live.MOST_ALERTS]
    )
    return Noted(spent, shown)


def _money(nano: int) -> str:
    """Billionths as an exact decimal text."""
    text = f"{nano // _NANO}.{nano % _NANO:09d}"
    return text.rstrip("0").rstrip(".")
