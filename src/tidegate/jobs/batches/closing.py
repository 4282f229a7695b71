"""The end of a batch: written once, told to its webhook, then what it asked and was answered leaves the rows."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, select

from tidegate.jobs.batches import book, shapes
from tidegate.jobs.batches.records import ANTHROPIC, Batch
from tidegate.jobs.batches.tables import BATCHES, FAULTS
from tidegate.jobs.hooks.due import due
from tidegate.jobs.rows.tables import ANSWERS, BODIES, JOBS
from tidegate.model.jobs import DONE
from tidegate.store.engine import writing

_PIECE: Final = 500


def end(connection: Connection, batch: Batch, state: str, wall: int, **values: Any) -> None:
    """It ends so, with these values of columns. Raises `book.Overtaken`."""
    book.change(connection, batch, state=state, ended_us=wall, **values)
    if batch.webhook:
        ended = book.batch_of(connection.execute(select(BATCHES).where(BATCHES.c.id == batch.id)).one())
        due(connection, batch.id, f"batch.{state}", batch.owner, batch.webhook, _told(ended), wall)


def _told(batch: Batch) -> dict[str, Any]:
    """The batch itself. No address: who is told has one of the gate, or needs none."""
    if batch.kind == ANTHROPIC:
        return shapes.message_batch(batch, batch.tally, "")
    return shapes.batch(batch, batch.tally)


def clean(engine: Engine, batch: Batch) -> bool:
    """Drop a piece of the answers that the files hold by now; True: that was all.

    What a line asked goes with its answer. Of a line that has none it stays, so that an operator can requeue it.
    """
    with writing(engine) as connection:
        mine = select(ANSWERS.c.number).join(JOBS, JOBS.c.number == ANSWERS.c.number).where(JOBS.c.batch == batch.id)
        numbers = list(connection.scalars(mine.limit(_PIECE)))
        if not numbers:
            book.change(connection, batch, clean=1)
            return True
        done = select(JOBS.c.number).where(JOBS.c.number.in_(numbers), JOBS.c.state == DONE)
        connection.execute(delete(BODIES).where(BODIES.c.number.in_(done)))
        connection.execute(delete(ANSWERS).where(ANSWERS.c.number.in_(numbers)))
    return False


def forget(engine: Engine, batch: Batch) -> bool:
    """Delete a piece of what is known of a batch whose jobs are gone; True: that was all. Its files expire alone."""
    with writing(engine) as connection:
        lines = select(FAULTS.c.line).where(FAULTS.c.batch == batch.id).limit(_PIECE)
        numbers = list(connection.scalars(lines))
        connection.execute(delete(FAULTS).where(FAULTS.c.batch == batch.id, FAULTS.c.line.in_(numbers)))
        if len(numbers) == _PIECE:
            return False
        connection.execute(delete(BATCHES).where(BATCHES.c.id == batch.id))
    return True
