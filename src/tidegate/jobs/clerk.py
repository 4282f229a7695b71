"""The clerk, in the desk's process: takes back what died, buries what is too late, sees to the brokers, and forgets."""

import asyncio
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.carrier import Carrier
from tidegate.jobs.desk.desk import Desk
from tidegate.model.jobs import EMBEDDED
from tidegate.model.snapshot import Snapshot, backends

_REAP_US: Final = 1_000_000
_FORGET_US: Final = 3_600_000_000
_FIRST_US: Final = 60_000_000  # a desk that has just begun has better things to do
_PIECE: Final = 500


class Clerk:
    """`run` until it is cancelled. `Desk.down` is `standing`; hints of work and of changes are told to `poke`."""

    __slots__ = ("_carriers", "_desk", "_forget_at", "_tasks", "_trouble", "_wanted")

    def __init__(self, desk: Desk, snapshot: Snapshot) -> None:
        self._desk = desk
        self._carriers: dict[str, Carrier] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wanted: tuple[str, ...] = ()
        self._forget_at = desk.clock.now() + _FIRST_US
        self._trouble = False
        self.follow(snapshot)

    def follow(self, snapshot: Snapshot) -> None:
        """Another configuration: brokers come, and go with the next look."""
        self._wanted = tuple(url for url in backends(snapshot) if url != EMBEDDED)

    def poke(self) -> None:
        """There may be something for a broker, or room at one. O(brokers)."""
        for carrier in self._carriers.values():
            carrier.poke()

    def standing(self, backend: str) -> str:
        """Why a backend cannot be reached, "" = it can, as far as is known."""
        carrier = self._carriers.get(backend)
        return "" if carrier is None else carrier.problem

    async def run(self) -> None:
        """Once a second. Raises what a carrier ended with: then everything begins anew."""
        try:
            while True:
                self._see_to_carriers()
                if self._desk.open:
                    await self._look()
                await self._desk.clock.sleep(_REAP_US)
        finally:
            for url in tuple(self._carriers):
                self._let_go(url)

    def _see_to_carriers(self) -> None:
        for url in [url for url in self._carriers if url not in self._wanted]:
            self._let_go(url)
        for url in self._wanted:
            task = self._tasks.get(url)
            if task is None:
                carrier = self._carriers[url] = Carrier(url, self._desk)
                self._tasks[url] = asyncio.get_running_loop().create_task(carrier.run())
            elif task.done():
                task.result()

    def _let_go(self, url: str) -> None:
        self._tasks.pop(url).cancel()
        self._carriers.pop(url).close()

    async def _look(self) -> None:
        try:
            await self._reap()
            if self._desk.clock.now() >= self._forget_at:
                await self._forget()
        except SQLAlchemyError as error:
            if not self._trouble:
                self._desk.log.error("jobs cannot be seen to: the database is away", problem=type(error).__name__)
            self._trouble = True
            return
        if self._trouble:
            self._desk.log.info("jobs are seen to again")
        self._trouble = False

    async def _reap(self) -> None:
        desk = self._desk
        found = await desk.call_long(desk.rows.reap, desk.settings.max_crashes, desk.clock.wall())
        if found.again:
            desk.log.warning("jobs were taken back: who ran them has said nothing more", jobs=len(found.again))
            desk.hints.work()
            self.poke()
        if found.again or found.dead:
            desk.hints.changed([*found.again, *found.dead])

    async def _forget(self) -> None:
        """In pieces: others write between them. What is left is forgotten with the next look."""
        desk = self._desk
        gone = await desk.call_long(desk.rows.forget, desk.clock.wall() - desk.settings.keep_us, _PIECE)
        if gone < _PIECE:
            self._forget_at = desk.clock.now() + _FORGET_US
