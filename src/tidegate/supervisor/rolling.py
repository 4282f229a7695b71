"""A rolling restart: workers are replaced one after the other, while every port is served. Whom to tell what, and when.

A successor begins in its place's other folder, on the same socket. It loads the configuration first and says `Warm`; so
what it does not understand (another version's) is known while its predecessor still serves. Where workers share their
state, it goes on at once, and its predecessor hands over when it serves. A worker that keeps its quota by itself hands
over first: two mirrors of one quota would spend it twice. New connections wait in the backlog meanwhile, for the
successor's last steps, and for a second at most while calls wait for their turn. Those that wait longer are served by
the predecessor; the successor takes what they need as spent (`worker/owed.py`).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from tidegate.observe.log import Log
from tidegate.supervisor.messages import Go, HandOver, Message, Quiet, Ready, Rejected, Warm
from tidegate.supervisor.worker import Worker

_EARLY = ("warming", "going")  # the predecessor serves as before
_WARM_SECONDS = 60.0  # for a successor to be ready
_QUIET_SECONDS = 10.0  # for a predecessor's word: without one both serve, and a quota may be spent twice


class Crew(Protocol):
    """What is done with workers (`supervisor/fleet.py`)."""

    def successor(self, worker: Worker) -> Worker:
        """One that was made and started in its place. Raises `GateError`."""

    def tell(self, worker: Worker, message: Message) -> None: ...

    def replace(self, old: Worker, new: Worker) -> None:
        """The place is the new one's; the old one is leaving."""

    def dismiss(self, new: Worker) -> None:
        """It will not serve: end it at once."""

    def arrived(self, new: Worker) -> None:
        """It serves: should it die, it is started again by itself."""


class Rolling:
    """One rolling restart. `now` is in monotonic seconds."""

    __slots__ = ("_crew", "_log", "_now", "_queue", "_stage", "at", "failed", "new", "old", "over")

    def __init__(self, workers: Iterable[Worker], crew: Crew, log: Log, now: Callable[[], float]) -> None:
        self._queue = list(workers)
        self._crew = crew
        self._log = log
        self._now = now
        self._stage = "idle"
        self.old: Worker | None = None
        self.new: Worker | None = None
        self.at: float | None = None  # when `look` has something to do
        self.over = False
        self.failed = False

    def step(self) -> None:
        """Begin with the next one, if none is in the middle of it. Raises `GateError`."""
        if self.new is not None or self.over:
            return
        if not self._queue:
            self.over = True
            self._log.info("every worker was replaced")
            return
        self.old = self._queue.pop(0)
        self.new = self._crew.successor(self.old)
        self._to("warming", _WARM_SECONDS)

    @property
    def midway(self) -> bool:
        """Is a worker being replaced at this moment?"""
        return self.new is not None

    def heard(self, worker: Worker, message: Message) -> None:
        """A word of the successor, or the `Quiet` of whom it succeeds."""
        if worker is self.new:
            if isinstance(message, Warm):
                self._warm(worker, shares=message.shares)
            elif isinstance(message, Ready):
                self._serves(worker)
            elif isinstance(message, Rejected) and self._stage in _EARLY:
                self.fail(f"{worker.title} cannot serve: {message.reason}")
        elif worker is self.old and isinstance(message, Quiet):
            self._go()

    def ended(self, worker: Worker) -> bool:
        """A process of the two ended; False when that is none of this restart's business."""
        if worker is self.new and self._stage in _EARLY:
            self.fail(f"{worker.title} ended before it served")
            return True
        if worker is self.old:
            self._go()
        return False

    def look(self, now: float) -> None:
        """What takes too long."""
        if self.at is None or now < self.at:
            return
        self.at = None
        if self._stage == "handing":
            self._go()
        elif self._stage in _EARLY:
            self.fail("the new worker is not ready in time")

    def fail(self, reason: str) -> None:
        """Nothing more is replaced; whoever serves serves on."""
        self.over = self.failed = True
        self.at = None
        self._queue.clear()
        new, self.new = self.new, None
        if new is not None and self._stage in _EARLY:
            self._crew.dismiss(new)
        self._log.error("the rolling restart ends; workers that were not replaced serve on", reason=reason)

    def _warm(self, new: Worker, *, shares: bool) -> None:
        if self._stage != "warming":  # it died while it took over, and its predecessor is quiet
            self._crew.tell(new, Go())
        elif shares:
            self._to("going", _WARM_SECONDS)
            self._crew.tell(new, Go())
        elif self.old is not None:
            self._to("handing", _QUIET_SECONDS)
            self._crew.replace(self.old, new)
            self._crew.tell(self.old, HandOver())

    def _go(self) -> None:
        if self._stage == "handing" and self.new is not None:
            self._to("taking", None)
            self._crew.tell(self.new, Go())

    def _serves(self, new: Worker) -> None:
        if self._stage == "going" and self.old is not None:
            self._crew.replace(self.old, new)
            self._crew.tell(self.old, HandOver())
        self._crew.arrived(new)
        self.old = self.new = None
        self._to("idle", None)

    def _to(self, stage: str, seconds: float | None) -> None:
        self._stage = stage
        self.at = None if seconds is None else self._now() + seconds
