"""A service beside the calls: it is there while the configuration in force asks for it, and no call waits for it."""

from collections.abc import Callable

from tidegate.observe.log import Log
from tidegate.supervisor.messages import Drain, Load, Message, Ready, Rejected
from tidegate.supervisor.process_manager import ProcessManager
from tidegate.supervisor.service import Death, Service, describe
from tidegate.supervisor.worker import GRACE


class Aside:
    """One service that comes and goes. What it cannot do is its own trouble: it never ends the gate.

    `now` is in monotonic seconds.
    """

    __slots__ = ("_keeper", "_log", "_now", "_snapshot", "service", "until")

    def __init__(self, service: Service, keeper: ProcessManager, log: Log, now: Callable[[], float]) -> None:
        self.service = service
        self._keeper = keeper
        self._log = log
        self._now = now
        self._snapshot = b""  # that it serves by, b"" = it is not wanted
        self.until: float | None = None  # when it is killed, once it is to leave

    def follow(self, snapshot: bytes, seconds: float) -> None:
        """Serve by this; b"": it is not wanted any more, and has so long to hand back what it holds."""
        self._snapshot = snapshot
        if self.service.process is None:
            self._stand_by()
        elif not snapshot:
            self.leave(seconds)
        elif self.until is not None:
            self.until = min(self.until, self._now() + GRACE)  # it was to leave: the next one serves
        else:
            self._keeper.tell(self.service, Load(snapshot))

    def _stand_by(self) -> None:
        if not self._snapshot:
            self._keeper.forget(self.service)
        elif self.service.start_at is None:
            self._keeper.start(self.service)

    def leave(self, seconds: float) -> None:
        """It has so long to hand back what it holds and end, and is not started again."""
        self._snapshot = b""
        self.service.start_at = None
        if self.service.process is not None and self.until is None:
            held = seconds if self.service.ready else 0.0  # one that is still starting holds nothing
            self.until = self._now() + held + GRACE
            self._keeper.tell(self.service, Drain())

    def renew(self, seconds: float) -> None:
        """It has so long to hand back what it holds and end, and is started again."""
        snapshot = self._snapshot
        if snapshot and self.service.process is not None:
            self.leave(seconds)
            self._snapshot = snapshot

    def rest(self) -> None:
        """Serve on; should it die, it is not started again."""
        self._snapshot = b""
        self.service.start_at = None

    def look(self, now: float) -> None:
        """Kill it when it has not left in time."""
        if self.until is not None and self.until <= now:
            self.until = now + GRACE
            self.service.kill()

    def begun(self) -> None:
        """Its process was started."""
        self._keeper.tell(self.service, Load(self._snapshot))

    def heard(self, message: Message) -> None:
        """It said something."""
        self.service.ready = self.service.ready or isinstance(message, Ready)
        if isinstance(message, Rejected):
            self._log.error(f"{self.service.name} cannot serve by the configuration", reason=message.reason)

    def buried(self, death: Death) -> None:
        """Its process ended."""
        left, self.until = self.until is not None, None
        if not self._snapshot:
            self._keeper.forget(self.service)
            return
        delay = 0.0 if left else death.delay
        if not left:
            how = describe(death.status)
            self._log.warning(f"{self.service.name} ended and is started again", how=how, delay=round(delay, 3))
        self.service.start_at = self._now() + delay
