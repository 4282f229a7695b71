"""The database under the desk: opened when it can be, and what workers must know of it."""

from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.key import write_key
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import JobSettings
from tidegate.store.engine import BadDatabase
from tidegate.store.schema import NewerSchema

_FIRST_US: Final = 500_000
_LONGEST_US: Final = 10_000_000


async def open_base(desk: Desk, ledger_database: str) -> None:
    """Open the rows, however long it takes; each problem is told once. Returns when they are open."""
    pause_us, told = _FIRST_US, ""
    while True:
        try:
            desk.rows = await desk.call_long(_opened, desk.settings, ledger_database, desk.state_dir)
        except (BadDatabase, NewerSchema, SQLAlchemyError, OSError) as error:
            problem = str(error).partition("\n")[0]
            if problem != told:
                desk.log.error("the database of jobs cannot be opened; it is tried again", problem=problem)
            told = problem
            desk.tried.set()
        else:
            if told:
                desk.log.info("the database of jobs is open")
            return
        await desk.clock.sleep(pause_us)
        pause_us = min(2 * pause_us, _LONGEST_US)


def _opened(settings: JobSettings, ledger_database: str, state_dir: Path) -> JobRows:
    """In a thread."""
    rows = open_rows(settings, ledger_database, state_dir)
    try:
        write_key(state_dir, rows.secret())
    except BaseException:
        rows.engine.dispose()
        raise
    return rows
