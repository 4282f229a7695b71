"""Gives a broker what is due, a little more than its runners can take: the rows and not the broker say who is next."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.celery.open import open_backend
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.faces import Backend, BackendDown, Rows
from tidegate.jobs.records import Dispatch
from tidegate.policy.jobs import shares

_AHEAD: Final = 4  # messages for each place of a runner
_IDLE_US: Final = 1_000_000
_BUSY_US: Final = 100_000  # between two looks, while there is something to give
_FIRST_US: Final = 1_000_000  # after the broker was away, doubled each time
_LONGEST_US: Final = 10_000_000
_REMEMBERED: Final = 10_000
_SILENCE_US: Final = 3_600_000_000  # the longest that a message may lie about until it is taken for lost
_PROBE_US: Final = 5_000_000  # how old the knowledge may be that the broker is there, where jobs are refused without it


class Carrier:
    """One backend. `run` until it is cancelled; what it does it does in a thread of its own."""

    __slots__ = (
        "_again_us", "_backend", "_desk", "_open", "_pause_us", "_poked", "_seen_us", "_sent", "_thread", "_url",
        "problem",
    )  # fmt: skip

    def __init__(self, url: str, desk: Desk, opened: Callable[[str, Rows], Backend] = open_backend) -> None:
        """`opened` raises `BackendDown` where it can be known at once."""
        self._url = url
        self._desk = desk
        self._open = opened
        self._thread = ThreadPoolExecutor(1, "broker")
        self._backend: Backend | None = None
        self._poked = asyncio.Event()
        self._sent: dict[str, int] = {}  # the last ones, to know what is given again
        self._again_us = desk.settings.lease_us
        self._pause_us = 0  # 0 = it is there, as far as is known
        self._seen_us = 0
        self.problem = ""  # why it cannot be reached, "" = it can

    def poke(self) -> None:
        """There may be something to give, or room for it."""
        self._poked.set()

    async def run(self) -> None:
        """Look, give, wait."""
        while True:
            given = await self._turn() if self._desk.open else 0
            await self._wait(_BUSY_US if given else _IDLE_US)

    def close(self) -> None:
        """Let go of the connection; what hangs is not waited for."""
        if self._backend is not None:
            self._thread.submit(self._backend.close)
        self._thread.shutdown(wait=False)

    async def _wait(self, longest_us: int) -> None:
        """Who is poked all the time looks no more often than it gives."""
        clock = self._desk.clock
        if self._pause_us:
            await clock.sleep(self._pause_us)
            return
        await clock.sleep(_BUSY_US)
        timer = clock.call_at(clock.now() + longest_us - _BUSY_US, self._poked.set)
        await self._poked.wait()
        timer.cancel()
        self._poked.clear()

    async def _turn(self) -> int:
        """How many were given."""
        desk = self._desk
        settings = desk.settings
        most = _AHEAD * settings.concurrency * max(settings.runners, 1)
        places = shares.places(settings.concurrency) * settings.runners
        try:
            due = await desk.call_long(desk.rows.dispatch, self._url, most, self._again_us, desk.clock.wall(), places)
            if due or self._unsure():
                await self._give(due)
        except SQLAlchemyError:
            return 0  # the clerk tells that the database is away
        return len(due)

    async def _give(self, due: list[Dispatch]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._publish, due)
        except BackendDown as error:
            self._down(error)
            await self._desk.call_long(self._desk.rows.undispatch, [one.id for one in due])
        else:
            self._up(due)

    def _publish(self, due: list[Dispatch]) -> None:
        """In the thread. With nothing to give it asks whether the broker is there."""
        if self._backend is None:
            self._backend = self._open(self._url, self._desk.rows)
        elif not due:
            self._backend.close()
        self._backend.publish(due)

    def _unsure(self) -> bool:
        """Whether somebody has to know that the broker is there, and nobody does."""
        if self._pause_us:
            return True
        refuses = self._desk.settings.on_backend_failure == "refuse"
        return not self._seen_us or (refuses and self._desk.clock.now() - self._seen_us >= _PROBE_US)

    def _down(self, error: BackendDown) -> None:
        if not self.problem:
            self._desk.log.error("a broker cannot be reached: its jobs wait here", problem=str(error))
        self.problem = str(error)
        self._pause_us = min(2 * self._pause_us, _LONGEST_US) or _FIRST_US

    def _up(self, due: list[Dispatch]) -> None:
        if self.problem:
            self._desk.log.info("the broker is back", broker="" if self._backend is None else self._backend.name)
        self.problem, self._pause_us, self._seen_us = "", 0, self._desk.clock.now()
        if due:
            self._learn(due)

    def _learn(self, due: list[Dispatch]) -> None:
        """Where all places are taken for long, or nobody is there, giving again is of no use: ever less often."""
        again = any(self._sent.get(one.id) == one.fence for one in due)
        doubled = min(2 * self._again_us, _SILENCE_US)
        self._again_us = doubled if again else max(self._again_us // 2, self._desk.settings.lease_us)
        for one in due:
            self._sent.pop(one.id, None)
            self._sent[one.id] = one.fence
        while len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
