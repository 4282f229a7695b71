"""A service beside the calls: it is there while the configuration in force asks for it, and no call waits for it."""

import time

from tidegate.observe.log import Log
from tidegate.planes.keeper import Keeper
from tidegate.planes.messages import Drain, Load, Loaded, Message, Ready
from tidegate.planes.service import Death, Service, describe


class Aside:
    """One service that comes and goes. What it cannot do is its own trouble: it never ends the gate."""

    __slots__ = ("_keeper", "_leaving", "_log", "_snapshot", "_version", "service")

    def __init__(self, service: Service, keeper: Keeper, log: Log) -> None:
        self.service = service
        self._keeper = keeper
        self._log = log
        self._version = 0
        self._snapshot = b""  # that it serves by, b"" = it is not wanted
        self._leaving = False

    def follow(self, version: int, good: Loaded) -> None:
        """A configuration is in force; the same one again is no news."""
        if version == self._version:
            return
        self._version = version
        self._snapshot = (good.whole or good.snapshot) if good.semantic else b""
        if self.service.process is not None:
            self._tell()
        elif not self._snapshot:
            self._keeper.forget(self.service)
        elif self.service.start_at is None:
            self._keeper.start(self.service)

    def _tell(self) -> None:
        if not self._snapshot:
            self._leaving = True
            self._keeper.tell(self.service, Drain())
        elif self._leaving:
            self.service.kill()  # it was to leave and has not: the next one serves
        else:
            self._keeper.tell(self.service, Load(self._snapshot))

    def rest(self) -> None:
        """The gate ends: what dies now is not started again."""
        self._snapshot = b""

    def begun(self) -> None:
        """Its process was started."""
        self._keeper.tell(self.service, Load(self._snapshot))

    def heard(self, message: Message) -> None:
        """It said something."""
        self.service.ready = self.service.ready or isinstance(message, Ready)

    def buried(self, death: Death) -> None:
        """Its process ended."""
        leaving, self._leaving = self._leaving, False
        if not self._snapshot:
            self._keeper.forget(self.service)
            return
        delay = 0.0 if leaving else death.delay
        if not leaving:
            how = describe(death.status)
            self._log.warning(f"{self.service.name} ended and is started again", how=how, delay=round(delay, 3))
        self.service.start_at = time.monotonic() + delay
