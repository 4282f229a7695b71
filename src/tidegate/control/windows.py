"""The thread that keeps the sliding windows (`observe/windows.py`), once a second, beside the event loop.

What goes on for long (a limit, a closed lane, a database that is away) is kept in a file of the state directory, so
that a control process that is started again does not begin to count anew.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.control.priority import give_way
from tidegate.model.jobs import DEAD
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.observe.samples import samples
from tidegate.observe.sliding import WINDOWS
from tidegate.observe.spans import Key
from tidegate.observe.windows import NodeFacts, Row, Windows

if TYPE_CHECKING:
    from tidegate.control.exposition_windows import Seen

FILE: Final = "goes-on.json"
_EVERY: Final = 1.0
_FRESH_US: Final = 30_000_000  # who asks the database for all does so every few seconds


class StandingWatch:
    """How this node stands. Every method may be asked by any thread."""

    __slots__ = ("_board", "_declaration", "_kept", "_lock", "_path", "_standing", "_wall", "_windows")

    def __init__(self, board: Board, declaration: Declaration, state_dir: Path, wall: Callable[[], int]) -> None:
        """`wall` tells microseconds since 1970."""
        self._board = board
        self._declaration = declaration
        self._wall = wall
        self._path = state_dir / FILE
        self._lock = threading.Lock()
        self._windows = Windows(wall())
        self._windows.spans.recall(_read(self._path), wall())
        self._kept = self._windows.spans.dump()
        self._standing = NodeStanding(self.node, wall())

    @property
    def node(self) -> str:
        """What this machine is called among those of its cluster."""
        return self._declaration.now.cluster.node or socket.gethostname()

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="windows", daemon=True).start()

    def _run(self) -> None:
        give_way()
        while True:
            self.turn(int(time.monotonic()))
            time.sleep(_EVERY)

    def turn(self, second: int) -> None:
        """Take what was told since the last turn. O(series)."""
        now, recent = self._wall(), self._board.recent
        with self._lock:
            if self._board.dropped:
                self._board.dropped = False
                self._windows.lost(now)
            for _ in range(len(recent)):
                try:
                    report = recent.popleft()
                except IndexError:  # there were too many, and the board let go of them
                    break
                self._windows.take(report, second, now)
            self._standing = self._windows.tick(self._facts(), second, now)
            spans = self._windows.spans.dump()
        if spans != self._kept:
            self._kept = spans
            _write(self._path, spans)

    def standing(self) -> NodeStanding:
        """As of the last second; never changed, replaced as a whole."""
        return self._standing

    def samples(self) -> list[Sample]:
        """What this node alone would be judged by."""
        return samples([self._standing])

    def rows(self, windows: Collection[str]) -> list[Row]:
        """Every series over these windows. O(series)."""
        with self._lock:
            return list(self._windows.rows(windows))

    def look(self) -> "Seen":
        """All of it for the metrics page. O(series)."""
        from tidegate.control.exposition_windows import Seen  # noqa: PLC0415 - prometheus-client costs 0.1 s

        standing, (at, known) = self._standing, self._board.sampled
        told = [*samples([standing]), *(known if self._wall() - at < _FRESH_US else ())]
        return Seen(standing, told, self.rows(WINDOWS), self._declaration.now.alerts.rules)

    def _facts(self) -> NodeFacts:
        standing, ledger, jobs = self._board.standing, self._board.ledger, self._board.jobs
        return NodeFacts(
            self.node,
            ready=not standing.draining,
            workers_down=sum(not worker.ready for worker in standing.workers),
            restarts=standing.restarts,
            journal_behind_bytes=sum(journal.lag_bytes for journal in ledger.journals),
            database_up=None if not ledger.up and not ledger.failing_since else ledger.up,
            jobs_dead=-1 if jobs is None else sum(one.jobs for one in jobs.ended if one.state == DEAD),
        )


def _read(path: Path) -> dict[Key, tuple[int, int]]:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=list[tuple[Key, int, int]])
    except (OSError, msgspec.DecodeError):
        return {}
    return {key: (since, until) for key, since, until in kept}


def _write(path: Path, spans: dict[Key, tuple[int, int]]) -> None:
    """A disk that does not take it costs no more than what it would have told the next process."""
    new = path.with_name(FILE + ".new")
    with contextlib.suppress(OSError):
        new.write_bytes(msgspec.json.encode([(key, *span) for key, span in spans.items()]))
        new.replace(path)
