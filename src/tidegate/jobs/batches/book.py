"""What is known of batches. Synchronous: for threads.

Who changes one says which version it saw, and is told if it is not the last one any more: any number of keepers and
clients may be at work on the same batch.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, or_, select, update

from tidegate.jobs.batches import filing
from tidegate.jobs.batches.owned import columns_of, owner_of, whose
from tidegate.jobs.batches.records import (
    CANCELLED,
    CANCELLING,
    IN_PROGRESS,
    OPEN,
    VALIDATING,
    Batch,
    Fault,
    StoredFile,
    Tally,
)
from tidegate.jobs.batches.tables import BATCHES, FILES
from tidegate.jobs.records import Owner
from tidegate.jobs.rows.tables import JOBS
from tidegate.model import jobs as words
from tidegate.store.engine import writing

_PLAIN: Final = (
    "id", "kind", "endpoint", "headers", "input_file", "place", "metadata", "webhook", "output_seconds", "state",
    "ending", "created_us", "expires_us", "in_progress_us", "finalizing_us", "cancelling_us", "ended_us", "model",
    "total", "bad", "position", "line", "prompt_tokens", "completion_tokens", "output_file", "error_file", "version",
)  # fmt: skip
_DELETED: Final = "deleted"
_GONE_US: Final = 3_600_000_000
_FAULTS: Final = msgspec.json.Decoder(tuple[Fault, ...])
_encode: Final = msgspec.json.Encoder().encode


class Overtaken(Exception):
    """Somebody else has changed the batch: nothing was done. Look again."""


class BatchRepository:
    """Raises `sqlalchemy.exc.SQLAlchemyError` where the database does not do its work."""

    __slots__ = ("engine",)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, batch: Batch, most: int, files: list[StoredFile]) -> bool:
        """Accept it, with the files that are its own; False: its owner has `most` that have not ended."""
        mine = select(func.count()).where(
            whose(BATCHES, batch.owner), BATCHES.c.kind == batch.kind, BATCHES.c.state.in_(OPEN)
        )
        with writing(self.engine) as connection:
            if (connection.scalar(mine) or 0) >= most:
                return False
            filing.add(connection, files)
            connection.execute(insert(BATCHES), _columns(batch))
        return True

    def find(self, batch: str, kind: str, owner: Owner) -> Batch | None:
        """None: there is none, or it is none of theirs."""
        seen = (BATCHES.c.id == batch, BATCHES.c.kind == kind, whose(BATCHES, owner))
        with self.engine.connect() as connection:
            row = connection.execute(select(BATCHES).where(*seen)).one_or_none()
        return None if row is None else batch_of(row)

    def listed(self, kind: str, owner: Owner, limit: int, *, after: str = "", before: str = "") -> list[Batch]:
        """The newest first: older ones than `after`, or the next newer ones than `before`."""
        query = select(BATCHES).where(BATCHES.c.kind == kind, whose(BATCHES, owner)).limit(limit)
        if before:
            newer = query.where(BATCHES.c.id > before).order_by(BATCHES.c.id)
            return self._batches(newer)[::-1]
        if after:
            query = query.where(BATCHES.c.id < after)
        return self._batches(query.order_by(BATCHES.c.id.desc()))

    def work(self, place: str, wall: int, most: int, after: str = "") -> list[Batch]:
        """Batches of this folder that there is something to do for, the oldest first.

        And those of any other that should have expired long ago: whoever kept them is gone.
        """
        mine = or_(BATCHES.c.place == place, BATCHES.c.expires_us < wall - _GONE_US)
        query = select(BATCHES).where(mine, BATCHES.c.clean == 0, BATCHES.c.id > after)
        return self._batches(query.order_by(BATCHES.c.id).limit(most))

    def ended(self, before_us: int, most: int) -> list[Batch]:
        """Some that ended before then and keep nothing in rows."""
        over = (BATCHES.c.clean == 1, BATCHES.c.ended_us > 0, BATCHES.c.ended_us < before_us)
        return self._batches(select(BATCHES).where(*over).limit(most))

    def cancel(self, batch: str, kind: str, owner: Owner, wall: int) -> Batch | None:
        """What has not ended is to be cancelled; else it stays as it is. None: as `find`."""
        while (found := self.find(batch, kind, owner)) is not None:
            if found.state not in {VALIDATING, IN_PROGRESS} or found.ending:
                return found
            try:
                with writing(self.engine) as connection:
                    change(connection, found, state=CANCELLING, ending=CANCELLED, cancelling_us=wall)
            except Overtaken:
                continue
        return None

    def forget(self, batch: Batch) -> list[str] | None:
        """Nobody sees it any more, and who tidies up deletes its rows; its files have none from now on: their names.

        What has ended stays so: it goes, whatever else was written of it meanwhile. None: somebody else did this.
        """
        seen = (BATCHES.c.id == batch.id, BATCHES.c.kind == batch.kind)
        gone = update(BATCHES).where(*seen).values(version=BATCHES.c.version + 1, kind=_DELETED, clean=1, ended_us=1)
        files = select(FILES.c.id).where(FILES.c.batch == batch.id)
        with writing(self.engine) as connection:
            if connection.execute(gone).rowcount != 1:
                return None
            names = list(connection.scalars(files))
            connection.execute(delete(FILES).where(FILES.c.id.in_(names)))
        return names

    def tally(self, batch: Batch) -> Tally:
        """How its lines stand now. O(lines), by an index alone."""
        if batch.state not in OPEN:
            return batch.tally
        query = select(JOBS.c.state, func.count()).where(JOBS.c.batch == batch.id).group_by(JOBS.c.state)
        with self.engine.connect() as connection:
            counts = {row[0]: row[1] for row in connection.execute(query)}
        failed = counts.get(words.FAILED, 0) + counts.get(words.DEAD, 0) + batch.bad
        return Tally(batch.total, counts.get(words.DONE, 0), failed, counts.get(words.CANCELLED, 0))

    def running(self, batch: str) -> bool:
        """Whether a line has not ended. O(1)."""
        open_jobs = select(JOBS.c.number).where(JOBS.c.batch == batch, JOBS.c.state.in_((words.QUEUED, words.RUNNING)))
        with self.engine.connect() as connection:
            return connection.execute(open_jobs.limit(1)).first() is not None

    def _batches(self, query: Select[Any]) -> list[Batch]:
        with self.engine.connect() as connection:
            return [batch_of(row) for row in connection.execute(query)]


def change(connection: Connection, batch: Batch, **values: Any) -> None:
    """Raises `Overtaken`."""
    seen = (BATCHES.c.id == batch.id, BATCHES.c.version == batch.version)
    changed = connection.execute(update(BATCHES).where(*seen).values(version=batch.version + 1, **values))
    if changed.rowcount != 1:
        raise Overtaken(batch.id)


def faults_text(faults: tuple[Fault, ...]) -> bytes:
    """As the column holds them."""
    return _encode(faults) if faults else b""


def _columns(batch: Batch) -> dict[str, Any]:
    return {
        **{name: getattr(batch, name) for name in _PLAIN},
        **columns_of(batch.owner),
        "faults": faults_text(batch.faults),
        "fed": int(batch.fed),
        "clean": int(batch.clean),
    }


def batch_of(row: Row[Any]) -> Batch:
    """The record of a row."""
    return Batch(
        **{name: getattr(row, name) for name in _PLAIN},
        owner=owner_of(row),
        faults=_FAULTS.decode(row.faults) if row.faults else (),
        fed=bool(row.fed),
        clean=bool(row.clean),
        tally=Tally(row.total, row.succeeded, row.failed, row.cancelled, row.expired),
    )
