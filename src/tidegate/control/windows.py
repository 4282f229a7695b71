"""The thread that keeps the sliding windows (`observe/windows.py`), once a second, beside the event loop.

What goes on for long (a limit, a closed lane, a database that is away) is kept in a file of the state directory, so
that a control process that is started again does not begin to count anew.
"""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.control.priority import give_way
from tidegate.model.jobs import DEAD
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.observe.live import Told, asked, in_use
from tidegate.observe.queue_waits import QueueKey
from tidegate.observe.recent import Points, Recent
from tidegate.observe.samples import samples
from tidegate.observe.sliding import WINDOWS
from tidegate.observe.sources import CALL, CALLS
from tidegate.observe.spans import Key
from tidegate.observe.windows import NodeFacts, Row, Windows

if TYPE_CHECKING:
    from tidegate.control.metrics.windows import Seen

FILE: Final = "goes-on.json"
_EVERY: Final = 1.0
_FRESH_US: Final = 30_000_000  # who asks the database for all does so every few seconds
_SHORT: Final = "10s"
_MINUTE: Final = 60


class Glance(NamedTuple):
    """What there is to see at one second. Calls are in thousandths a second, over ten seconds."""

    standing: NodeStanding
    told: Sequence[Told]
    waits: dict[QueueKey, tuple[int, int]]
    calls_milli: int
    asked: int  # of the cache in the last minute
    hits: int


class StandingWatch:
    """How this node stands. Every method may be asked by any thread."""

    __slots__ = (
        "_asked", "_board", "_declaration", "_kept", "_lock", "_path", "_recent", "_standing", "_wall", "_windows",
    )  # fmt: skip

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
        self._recent = Recent()
        self._asked: deque[tuple[int, int]] = deque([(0, 0)], _MINUTE + 1)  # what the cache did ever, by the second
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
            self._remember(now)
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

    def glance(self) -> Glance:
        """What who looks on is shown. O(lanes) at most."""
        with self._lock:
            gets, hits = (max(0, new - old) for new, old in zip(self._asked[-1], self._asked[0], strict=True))
            waits, milli = self._windows.waits.quantiles(), self._calls_milli()
            return Glance(self._standing, self._board.told(), waits, milli, gets, hits)

    def recent(self, seconds: int, wanted: Collection[str], most: int) -> Points:
        """The last seconds, as `Recent.points`."""
        with self._lock:
            return self._recent.points(seconds, wanted, most)

    def _calls_milli(self) -> int:
        return 100 * self._windows.total(CALL, _SHORT)[CALLS]

    def _remember(self, now: int) -> None:
        """Keep how it stands, for who begins to look later. O(lanes)."""
        standing, told = self._standing, self._board.told()
        lanes = in_use(standing, told)
        flying = sum(gauge.calls for one in told for gauge in one.gauges)
        waiting = sum(queue.waiting for queue in standing.queues)
        self._recent.add(now, lanes, (self._calls_milli(), error_permille(standing), flying, waiting))
        gets, hits = asked(told)
        if gets < self._asked[-1][0]:  # a worker was started again
            self._asked.clear()
        self._asked.append((gets, hits))

    def look(self) -> "Seen":
        """All of it for the metrics page. O(series)."""
        from tidegate.control.metrics.windows import Seen  # noqa: PLC0415 - prometheus-client costs 0.1 s

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
            journal_failing=self._board.journal_failing,
        )


def error_permille(standing: NodeStanding) -> int:
    """Of the calls of the last minute, how many failed."""
    calls = sum(plan.calls for plan in standing.plans)
    return 1_000 * sum(plan.failed for plan in standing.plans) // calls if calls else 0


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
