"""Who brings batches on: looks through their files, feeds their lines, writes what came of them, forgets.

One step of each batch in turn, so that a large one holds up none of the others.
"""

from typing import Final

from tidegate.jobs.batches import closing
from tidegate.jobs.batches.archive import Archive
from tidegate.jobs.batches.book import BatchRepository, Overtaken, change
from tidegate.jobs.batches.feed import Feeder, Full
from tidegate.jobs.batches.finish import Writing
from tidegate.jobs.batches.records import CANCELLING, EXPIRED, FINALIZING, OPEN, Batch
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Unavailable
from tidegate.store.engine import writing

_IDLE_US: Final = 500_000
_AWAY_US: Final = 2_000_000
_TIDY_US: Final = 60_000_000
_MOST: Final = 1_000  # batches in one round
_PIECE: Final = 500
_SHARE: Final = 10  # looking takes one part of so many, at most
_WRITERS: Final = 4  # batches whose files are written at the same time


class BatchWorker:
    """Any number of desks may keep the same batches: whoever is overtaken looks again."""

    __slots__ = ("_archive", "_cleaned", "_desk", "_said", "_tidied", "_writers")

    def __init__(self, desk: Desk, archive: Archive | None = None) -> None:
        self._desk = desk
        self._archive = archive or Archive(desk)
        self._writers: dict[str, Writing] = {}
        self._cleaned: dict[str, int] = {}  # up to which line; who dies begins again
        self._tidied = 0
        self._said = ""

    async def run(self) -> None:
        """For ever. Trouble is said once and tried again: nothing is lost meanwhile."""
        while True:
            began = self._desk.clock.now()
            try:
                busy = await self.round()
                pause = 0 if busy else max(_IDLE_US, (self._desk.clock.now() - began) * _SHARE)
            except Exception as error:  # noqa: BLE001 - of the database or the disk; batches wait, and nothing is lost
                self._trouble("batches wait", error)
                pause = _AWAY_US
            await self._desk.clock.sleep(pause)

    async def round(self) -> bool:
        """A step of each batch; whether there is more to do at once."""
        if not self._desk.open:
            return False
        busy = await self._tidy()
        after, seen = "", set[str]()
        while batches := await self._desk.call_long(self._work, after):
            for batch in batches:
                seen.add(batch.id)
                busy |= await self._step(batch)
            after = batches[-1].id
        for gone in self._writers.keys() - seen:
            self._drop(gone)
        for gone in self._cleaned.keys() - seen:
            del self._cleaned[gone]
        return busy

    async def _step(self, batch: Batch) -> bool:
        """One step of one batch, which must not hold up the others whatever is wrong with it."""
        try:
            jobs = await self._desk.call_long(self._advance, batch, self._desk.clock.wall())
        except Overtaken:
            self._drop(batch.id)
            return True
        except (Full, Unavailable):
            return False
        except Exception as error:  # noqa: BLE001 - a defect, a full disk: of this batch; it is tried again
            self._drop(batch.id)
            self._trouble(f"batch {batch.id} waits", error)
            return False
        self._said = ""
        if jobs > 0:
            self._desk.hints.work()
        return jobs >= 0

    def _work(self, after: str) -> list[Batch]:
        return self._archive.book.work(self._archive.folder.place, self._desk.clock.wall(), _MOST, after)

    def _advance(self, batch: Batch, wall: int) -> int:
        """In a thread: one step; how many jobs it fed, -1: there was nothing to do."""
        known = self._archive.book
        if batch.state not in OPEN:
            self._clean(known, batch)
            return 0
        if batch.place != self._archive.folder.place:
            _set(known, batch, place=self._archive.folder.place)
            return 0
        if not batch.in_progress_us:
            self._feeder(known).look(batch, wall)
            return 0
        if batch.finalizing_us:
            return self._write(known, batch, wall)
        if not batch.ending and wall >= batch.expires_us:
            _set(known, batch, ending=EXPIRED)
            return 0
        if not batch.fed:
            return self._feeder(known).feed(batch, wall)
        return self._wait(known, batch, wall)

    def _wait(self, known: BatchRepository, batch: Batch, wall: int) -> int:
        """All its lines are fed: cancel what it does not want any more, and see whether the last one has ended."""
        if batch.ending and self._desk.rows.cancel_batch(batch.id, wall):
            return 0
        if known.running(batch.id):
            return -1
        state = CANCELLING if batch.state == CANCELLING else FINALIZING
        _set(known, batch, state=state, finalizing_us=wall)
        return 0

    def _write(self, known: BatchRepository, batch: Batch, wall: int) -> int:
        writer = self._writers.get(batch.id)
        if writer is None:
            if len(self._writers) >= _WRITERS:
                return -1
            writer = Writing(batch, known.engine, self._archive.folder, self._desk.settings.keep_us)
            self._writers[batch.id] = writer
        if writer.step(wall):
            del self._writers[batch.id]
        return 0

    def _clean(self, known: BatchRepository, batch: Batch) -> None:
        line = closing.clean(known.engine, batch, self._cleaned.pop(batch.id, 0))
        if line:
            self._cleaned[batch.id] = line

    def _drop(self, batch: str) -> None:
        """Whatever was written of it is written again."""
        writer = self._writers.pop(batch, None)
        if writer is not None:
            writer.drop()

    def _feeder(self, known: BatchRepository) -> Feeder:
        return Feeder(known.engine, self._archive.folder, self._desk.backend_of, lambda: self._desk.settings)

    async def _tidy(self) -> bool:
        """Once a minute: files and batches whose time is over. Whether there are more of them."""
        now = self._desk.clock.now()
        if self._tidied and now < self._tidied:
            return False
        more = await self._desk.call_long(self.forget, self._desk.clock.wall())
        if not more:
            self._tidied = now + _TIDY_US
        return more

    def forget(self, wall: int) -> bool:
        """In a thread: a piece of what is kept no longer; whether there is more."""
        folder, filing, known = self._archive.folder, self._archive.filing, self._archive.book
        names = filing.expired(folder.place, wall, _PIECE)
        folder.delete(names)
        old = known.ended(wall - self._desk.settings.keep_us, _PIECE)
        rows = self._desk.rows
        more = len(names) == _PIECE
        for batch in old:
            gone = rows.forget_batch(batch.id, _PIECE)
            more |= gone > 0 or not closing.forget(known.engine, batch)
        if not more:
            folder.sweep(wall, filing.known)
        return more

    def _trouble(self, what: str, error: Exception) -> None:
        said = f"{what} ({type(error).__name__}: {str(error)[:200]})"
        if said != self._said:
            self._desk.log.error(what, problem=type(error).__name__, said=str(error)[:200])
        self._said = said


def _set(known: BatchRepository, batch: Batch, **values: object) -> None:
    with writing(known.engine) as connection:
        change(connection, batch, **values)
