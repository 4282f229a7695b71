"""Jobs that are submitted at the same time are accepted in one transaction: a database syncs its disk once for all."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError

from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.records import NewJob, Submitted

_MOST_WAITING: Final = 8_192
_MOST_BYTES: Final = 134_217_728  # of what waits
_PIECE: Final = 128
_PIECE_BYTES: Final = 4_194_304

_AWAY: Final = (Unavailable, OperationalError, InterfaceError, DisconnectionError)  # it is nobody's job that is wrong
_Waiting = tuple[NewJob, "asyncio.Future[Submitted]"]


class Gather:
    """One for a desk. While a piece is written the next one gathers; who comes alone waits for nobody."""

    __slots__ = ("_bytes", "_task", "_waiting", "desk")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, new: NewJob) -> Submitted:
        """As `Rows.submit`. Raises `Unavailable`, `SQLAlchemyError`. Who leaves meanwhile has a job all the same."""
        if len(self._waiting) >= _MOST_WAITING or self._bytes > _MOST_BYTES:
            raise Unavailable("The gate's database for jobs does not keep up. Try again in a moment.")
        loop = asyncio.get_running_loop()
        accepted: asyncio.Future[Submitted] = loop.create_future()
        self._waiting.append((new, accepted))
        self._bytes += len(new.body)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await accepted

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._write(self._piece())
        finally:
            self._task = None

    def _piece(self) -> list[_Waiting]:
        """The next ones; those who have left are not missed: they may come back by their keys."""
        taken = [self._waiting.popleft()]
        size = len(taken[0][0].body)
        while self._waiting and len(taken) < _PIECE and size < _PIECE_BYTES:
            size += len(self._waiting[0][0].body)
            taken.append(self._waiting.popleft())
        self._bytes -= size
        return taken

    async def _write(self, piece: Sequence[_Waiting]) -> None:
        """What is wrong with one of them is its own trouble."""
        try:
            told = await self._submitted([new for new, _ in piece])
        except Exception as error:  # noqa: BLE001 - it is raised to who waits for it
            if len(piece) == 1 or isinstance(error, _AWAY):
                _fail(piece, error)
                return
            for one in piece:
                await self._write([one])
            return
        for (_, accepted), outcome in zip(piece, told, strict=True):
            if not accepted.done():
                accepted.set_result(outcome)
        if any(not (one.again or one.conflict or one.full) for one in told):
            self.desk.hints.work()

    async def _submitted(self, jobs: list[NewJob]) -> list[Submitted]:
        desk = self.desk
        return await desk.call(desk.rows.submit, jobs, desk.clock.wall())


def _fail(piece: Sequence[_Waiting], error: Exception) -> None:
    for _, accepted in piece:
        if not accepted.done():
            accepted.set_exception(error)
