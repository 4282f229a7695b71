"""All services beside the calls, by name: the configuration in force says which there are."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tidegate.observe.log import Log
from tidegate.supervisor.aside import Aside
from tidegate.supervisor.messages import Loaded
from tidegate.supervisor.process_manager import ProcessManager
from tidegate.supervisor.service import Death, Service


class Kind(NamedTuple):
    """What services of a kind are."""

    module: str
    holds: bool = False  # it has work to hand back before the gate ends; else it serves to the last call


class Asides:
    """Services come with the configuration that names them, and go with the next that does not.

    A name is `KIND` or `KIND-NUMBER`; the number is told to the process (`--worker`), -1 = none.
    """

    __slots__ = ("_keeper", "_kinds", "_log", "_now", "_of", "_state_dir", "_version")

    def __init__(
        self, kinds: Mapping[str, Kind], state_dir: str, keeper: ProcessManager, log: Log, now: Callable[[], float]
    ) -> None:
        self._kinds = kinds
        self._state_dir = state_dir
        self._keeper = keeper
        self._log = log
        self._now = now
        self._version = 0
        self._of: dict[str, Aside] = {}

    def find(self, service: Service) -> Aside | None:
        """Whose service it is; None = of nobody here."""
        found = self._of.get(service.name)
        return found if found is not None and found.service is service else None

    def follow(self, version: int, good: Loaded) -> None:
        """A configuration is in force; the same one again is no news."""
        if version == self._version:
            return
        self._version = version
        wanted = [name for name in good.beside if name.partition("-")[0] in self._kinds]
        for name in wanted:
            if name not in self._of:
                self._of[name] = self._made(name)
        for name, aside in self._of.items():
            aside.follow((good.whole or good.snapshot) if name in wanted else b"", good.drain_timeout_us / 1e6)

    def _made(self, name: str) -> Aside:
        kind, _, number = name.partition("-")
        service = Service(name, self._kinds[kind].module, None, self._state_dir, int(number or -1))
        return Aside(service, self._keeper, self._log, self._now)

    def buried(self, aside: Aside, death: Death) -> None:
        """The process of one ended."""
        aside.buried(death)
        if aside.service.start_at is None:
            del self._of[aside.service.name]

    def renew(self, seconds: float) -> None:
        """Each ends, whoever holds work once it has handed it back, and is started again."""
        for aside in self._of.values():
            aside.renew(seconds)

    def drain(self, seconds: float) -> None:
        """The gate ends: who holds work hands it back; nobody is started again."""
        for aside in self._of.values():
            if self._holds(aside):
                aside.leave(seconds)
            else:
                aside.rest()

    @property
    def holding(self) -> bool:
        """Is there a process that may hold work?"""
        return any(aside.service.process is not None and self._holds(aside) for aside in self._of.values())

    def _holds(self, aside: Aside) -> bool:
        return self._kinds[aside.service.name.partition("-")[0]].holds

    # Time

    def next_moment(self) -> float | None:
        """When `look` has something to do."""
        return min((aside.until for aside in self._of.values() if aside.until is not None), default=None)

    def look(self, now: float) -> None:
        """End those that did not leave in time."""
        for aside in self._of.values():
            aside.look(now)
