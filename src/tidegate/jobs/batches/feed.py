"""From lines of a file to jobs: a piece at a time, its rows and the place behind it in one transaction.

So a death at any moment neither skips a line nor doubles one. Blocks: for threads.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, insert, select

from tidegate.jobs.batches import book, closing, lines
from tidegate.jobs.batches.answers import unrun
from tidegate.jobs.batches.folder import Folder
from tidegate.jobs.batches.records import CANCELLED, CANCELLING, FAILED, IN_PROGRESS, LINE_PRIORITY, Ask, Batch, Fault
from tidegate.jobs.batches.tables import FAULTS
from tidegate.jobs.records import NewJob
from tidegate.jobs.rows import submitting
from tidegate.jobs.rows.tables import JOBS
from tidegate.model.jobs import JobSettings
from tidegate.store.engine import writing

_JOB: Final = "job_"
_LONGEST_FAULT: Final = 512
_GONE: Final = Fault("file_not_found", "The input file is not there any more. Upload it again.")


class Full(Exception):
    """The tenant has as many jobs as it may have; its batch waits until some of them have ended.

    `fits`: so many lines can be fed nevertheless.
    """

    def __init__(self, fits: int) -> None:
        super().__init__(fits)
        self.fits = fits


class Feeder:
    """Raises `SQLAlchemyError`, `OSError`, `book.Overtaken`; nothing was changed then."""

    __slots__ = ("_backend_of", "_engine", "_folder", "_settings")

    def __init__(
        self, engine: Engine, folder: Folder, backend_of: Callable[[str], str], settings: Callable[[], JobSettings]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._backend_of = backend_of
        self._settings = settings  # those in force

    def look(self, batch: Batch, wall: int) -> None:
        """Can its file be a batch? Then its lines are fed, else it has ended. O(bytes)."""
        try:
            with self._folder.open(batch.input_file) as file:
                looked = lines.look(file, batch.kind, batch.endpoint, self._settings().max_batch_lines)
        except FileNotFoundError:
            looked = lines.Looked(faults=(_GONE,))
        state = CANCELLING if batch.ending == CANCELLED else IN_PROGRESS
        with writing(self._engine) as connection:
            if looked.faults:
                faults = book.faults_text(looked.faults)
                closing.end(connection, batch, batch.ending or FAILED, wall, faults=faults, clean=1)
                return
            book.change(connection, batch, state=state, in_progress_us=wall, total=looked.total, model=looked.model)

    def feed(self, batch: Batch, wall: int) -> int:
        """The next piece; how many jobs it came to. Raises `Full`."""
        try:
            with self._folder.open(batch.input_file) as file:
                raws = lines.piece(file, batch.position, batch.line)
        except FileNotFoundError:
            raws = []  # somebody has taken it away: what was fed is all there is
        if not raws:
            with writing(self._engine) as connection:
                book.change(connection, batch, fed=1)
            return 0
        try:
            return self._take(batch, raws, wall)
        except Full as full:
            if not full.fits:
                raise
            return self._take(batch, raws[: full.fits], wall)

    def _take(self, batch: Batch, raws: Sequence[lines.Raw], wall: int) -> int:
        """These lines, and the place behind them, at once."""
        read = [lines.read(batch.kind, batch.endpoint, raw) for raw in raws]
        with writing(self._engine) as connection:
            asks, faults = _parted(connection, batch, read)
            last = raws[-1]
            book.change(connection, batch, position=last.end, line=last.line, bad=batch.bad + len(faults))
            _note(connection, batch, faults)
            jobs = [self._job(batch, ask) for ask in asks]
            told = submitting.submit(connection, jobs, self._settings().max_queued, wall, careful=False)
            refused = next((job.line for job, one in zip(jobs, told, strict=True) if one.full), 0)
            if refused:
                raise Full(sum(raw.line < refused for raw in raws))
        return len(asks)

    def _job(self, batch: Batch, ask: Ask) -> NewJob:
        return NewJob(
            id=f"{_JOB}{batch.id.rpartition('_')[2]}{ask.line:07x}",
            owner=batch.owner,
            path=batch.endpoint,
            body=ask.body,
            headers=batch.headers,
            model=ask.model,
            backend=self._backend_of(ask.model),
            priority=LINE_PRIORITY,
            deadline_us=batch.expires_us,
            batch=batch.id,
            line=ask.line,
            custom_id=ask.custom_id,
        )


def _parted(connection: Connection, batch: Batch, read: Sequence[Ask | Fault]) -> tuple[list[Ask], list[Fault]]:
    """What becomes a job, and what does not: because of the line, of its name, or since the batch is over."""
    if batch.ending:
        return [], [one if isinstance(one, Fault) else unrun(batch.ending, one.line, one.custom_id) for one in read]
    names = {one.custom_id for one in read if isinstance(one, Ask)}
    query = select(JOBS.c.custom_id).where(JOBS.c.batch == batch.id, JOBS.c.custom_id.in_(names))
    known = set(connection.scalars(query)) if names else set()
    asks, faults = list[Ask](), list[Fault]()
    for one in read:
        if isinstance(one, Fault):
            faults.append(one)
        elif one.custom_id in known:
            said = f"Line {one.line}: `custom_id` stands twice in this file; the first one counts."
            faults.append(Fault("duplicate_custom_id", said, one.line, "custom_id", one.custom_id))
        else:
            known.add(one.custom_id)
            asks.append(one)
    return asks, faults


def _note(connection: Connection, batch: Batch, faults: Sequence[Fault]) -> None:
    if faults:
        connection.execute(
            insert(FAULTS),
            [
                {
                    "batch": batch.id,
                    "line": fault.line,
                    "custom_id": fault.custom_id,
                    "code": fault.code,
                    "message": fault.message[:_LONGEST_FAULT],
                    "param": fault.param[:_LONGEST_FAULT],
                }
                for fault in faults
            ],
        )
