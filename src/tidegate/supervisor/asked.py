"""Control has written the configuration file, and waits to hear what became of it. No I/O."""

from tidegate.supervisor.configuration import Configuration
from tidegate.supervisor.messages import Reloaded

_LONGEST = 10_000  # characters of a reason


class Asked:
    """From `Reload` to `Reloaded`: what is read after it was asked is what is told of."""

    __slots__ = ("_new", "_number", "_offered", "_version")

    def __init__(self) -> None:
        self._new = 0  # asked, and not read yet
        self._number = 0  # whose file is read or on trial
        self._version = 0
        self._offered = False  # to the workers

    def ask(self, number: int) -> None:
        """The file is to be read. One that was asked for before and has no verdict yet is told with this one."""
        self._new = number

    def reading(self, version: int) -> None:
        """The loader begins, and what it makes is to be this version."""
        if self._new:
            self._number, self._version, self._new = self._new, version, 0
            self._offered = False

    def offered(self) -> None:
        """What was read is good, and is put on trial."""
        self._offered = True

    def failed(self, version: int, reason: str) -> Reloaded | None:
        """It cannot be used: what to tell, if anybody asked for this one."""
        if not self._number or version != self._version:
            return None
        return self._told(0, reason)

    def settled(self, configuration: Configuration) -> Reloaded | None:
        """What to tell once nothing is on trial any more."""
        if not self._number or not self._offered or configuration.on_trial:
            return None
        if configuration.version == self._version:
            return self._told(self._version, "")
        return self._told(0, configuration.why or "its workers do not take it")

    def over(self, reason: str) -> list[Reloaded]:
        """Nothing is read or put on trial any more: what to tell whoever waits."""
        waiting = [number for number in (self._number, self._new) if number]
        self._number = self._new = 0
        return [Reloaded(number, 0, reason) for number in waiting]

    def _told(self, version: int, reason: str) -> Reloaded:
        number, self._number = self._number, 0
        return Reloaded(number, version, reason[:_LONGEST])
