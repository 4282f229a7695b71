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


def clean(engine: Engine, batch: Batch, line: int) -> int:
    """Drop the answers behind `line` that the files hold by now, a piece of them; up to which line, 0: that was all.

    What a line asked goes with its answer. Of a line that has none it stays, so that an operator can requeue it.
    """
    behind = select(JOBS.c.number, JOBS.c.line, JOBS.c.state).where(JOBS.c.batch == batch.id, JOBS.c.line > line)
    with writing(engine) as connection:
        rows = connection.execute(behind.order_by(JOBS.c.line).limit(_PIECE)).all()
        if not rows:
            book.change(connection, batch, clean=1)
            return 0
        done = [row.number for row in rows if row.state == DONE]
        connection.execute(delete(BODIES).where(BODIES.c.number.in_(done)))
        connection.execute(delete(ANSWERS).where(ANSWERS.c.number.in_([row.number for row in rows])))
    return int(rows[-1].line)


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
