"""The rows of jobs as the control process sees them: for the admin API, and counted for the metrics."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidegate.control.board import Board, JobsStanding
from tidegate.control.declared import Declaration
from tidegate.control.priority import give_way
from tidegate.observe.log import Log

if TYPE_CHECKING:
    from tidegate.jobs.rows.rows import JobRows
    from tidegate.model.jobs import JobSettings

_LOOK: Final = 5.0
_LONGEST_WAIT: Final = 60.0


class Jobs:
    """Where they are, as the configuration in force says. For any thread."""

    __slots__ = ("_declaration", "_lock", "_opened", "_rows", "_state_dir")

    def __init__(self, state_dir: Path, declaration: Declaration) -> None:
        self._state_dir = state_dir
        self._declaration = declaration
        self._lock = threading.Lock()
        self._opened: tuple[JobSettings, str] | None = None
        self._rows: JobRows | None = None

    def rows(self) -> "JobRows | None":
        """None while the file wants no jobs. Raises what opening a database raises; it is tried again next time."""
        now = self._declaration.now
        if not now.jobs.enabled:
            return None
        wanted = (now.jobs, now.ledger.database)
        with self._lock:
            if self._rows is None or self._opened != wanted:
                from tidegate.jobs.rows.open import open_rows  # noqa: PLC0415 - a gate without jobs imports none of it

                before, self._rows = self._rows, None
                if before is not None:
                    before.engine.dispose()
                self._rows = open_rows(now.jobs, now.ledger.database, self._state_dir)
                self._opened = wanted
            return self._rows


class JobsWatch:
    """The thread that counts jobs for `board.jobs`; whatever fails in it is tried again."""

    __slots__ = ("_board", "_jobs", "_log", "_trouble", "_wait", "_wall")

    def __init__(self, jobs: Jobs, board: Board, log: Log, wall: Callable[[], int]) -> None:
        """`wall` tells microseconds since 1970."""
        self._jobs = jobs
        self._board = board
        self._log = log
        self._wall = wall
        self._trouble = ""
        self._wait = _LOOK

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="jobs", daemon=True).start()

    def _run(self) -> None:
        give_way()
        while True:
            time.sleep(self.look())

    def look(self) -> float:
        """Count once; returns the seconds until the next look. O(jobs that have not ended)."""
        try:
            rows = self._jobs.rows()
            self._board.jobs = (
                None if rows is None else JobsStanding(tuple(rows.depths()), tuple(rows.ended()), self._wall())
            )
        except Exception as error:  # noqa: BLE001 - of a driver or a disk; nobody waits
            trouble = type(error).__name__
            if trouble != self._trouble:
                self._log.error("jobs cannot be counted: their database does not answer", problem=trouble)
            self._trouble, self._wait = trouble, min(self._wait * 2, _LONGEST_WAIT)
            self._board.jobs = None
            return self._wait
        self._trouble, self._wait = "", _LOOK
        return _LOOK
