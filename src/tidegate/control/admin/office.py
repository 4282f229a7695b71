"""What the admin API stands on: the store, the directory log, and what the rest of the control process knows."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.rooms import Rooms
from tidegate.control.admin.seats import Seats
from tidegate.control.admin.services.changes import Changes
from tidegate.control.admin.services.trying import Trying
from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.control.jobs import Jobs
from tidegate.control.leader import Among
from tidegate.directory.layout import NAME
from tidegate.observe.log import Log
from tidegate.store.engine import BadDatabase

if TYPE_CHECKING:
    from tidegate.jobs.rows.rows import JobRows

MOST_FOLLOWING: Final = 32  # each asks the database once a second
_NO_ROOMS: Final = Rooms()


class Clocks(NamedTuple):
    """Microseconds: monotonic, and since 1970."""

    now: Callable[[], int]
    wall: Callable[[], int]


class Office:
    """One for the process; it may be used from any thread."""

    __slots__ = (
        "_jobs", "board", "changes", "clocks", "declaration", "drills", "following", "lead", "live", "log", "policy",
        "state_dir", "trying",
    )  # fmt: skip

    def __init__(
        self,
        state_dir: Path,
        engine_of: Callable[[], Engine | None],
        declaration: Declaration,
        board: Board,
        log: Log,
        clocks: Clocks,
        rooms: Rooms = _NO_ROOMS,
    ) -> None:
        """`engine_of` is the database with this version's schema, None while it is away."""
        self.lead, ring = rooms.among or Among()
        self.state_dir = state_dir
        self.declaration = declaration
        self.drills = rooms.drills
        self.following = Seats(MOST_FOLLOWING)
        self.live = rooms.live
        self.policy = rooms.policy
        self.board = board
        self.log = log
        self.clocks = clocks
        self.trying = Trying()
        self._jobs = Jobs(state_dir, declaration) if rooms.jobs is None else rooms.jobs

        def engine() -> Engine:
            found = engine_of()
            if found is None:
                raise away("it is not open")
            return found

        self.changes = Changes(engine, state_dir / NAME, declaration, clocks.wall, ring)

    @property
    def engine(self) -> Engine:
        """The database. Raises `Refused` (503) while it is away."""
        return self.changes.engine

    @property
    def jobs_if_any(self) -> "JobRows | None":
        """Those of the configuration in force; None: it has none. Raises `Refused` (503) while they are away."""
        try:
            return self._jobs.rows()
        except (SQLAlchemyError, BadDatabase, OSError, RuntimeError) as error:
            raise away(type(error).__name__) from None

    @property
    def jobs(self) -> "JobRows":
        """Those of the configuration in force. Raises `Refused`: it has none (409), or they are away (503)."""
        rows = self.jobs_if_any
        if rows is None:
            remedy = "write a section `jobs` into the configuration, or an `execution_mode: async`"
            raise refused(409, "jobs", "this gate has no jobs", remedy)
        return rows


def away(kind: str) -> Refused:
    """The database cannot be asked. Of what it said only the kind is told: the rest may name hosts and accounts."""
    problem = f"the database cannot be used now ({kind})"
    remedy = "calls go on; see the log of the control process, and `ledger.database` in the configuration"
    return refused(503, "ledger.database", problem, remedy, ("retry-after", "5"))
