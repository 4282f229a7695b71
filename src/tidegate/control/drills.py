"""The thread that sees to drills. It imports nothing of them, nor the database's, while the file declares none."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidegate.control.declared import Declaration
from tidegate.control.priority import give_way
from tidegate.model.drills import OUT, DrillSettings
from tidegate.observe.log import Log
from tidegate.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from tidegate.drills.watch import DrillWatch
    from tidegate.model.measures import Sample
    from tidegate.store.engine import Begin

_IDLE: Final = 1.0


class Drills:
    """One for the process. `watch`, `settings` and `samples` may be used by any thread."""

    __slots__ = ("_clock", "_declaration", "_engine_of", "_lead", "_lock", "_log", "_state_dir", "_watch")

    def __init__(
        self,
        state_dir: Path,
        engine_of: "Callable[[], Engine | None]",
        declaration: Declaration,
        lead: "Callable[[], Begin | None]",
        log: Log,
        clock: Clock,
    ) -> None:
        """As `DrillWatch`."""
        self._state_dir = state_dir
        self._engine_of = engine_of
        self._declaration = declaration
        self._lead = lead
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._watch: DrillWatch | None = None

    @property
    def settings(self) -> DrillSettings:
        """Those in force."""
        return self._declaration.now.drills

    def watch(self) -> "DrillWatch":
        """Who runs them."""
        with self._lock:
            if self._watch is None:
                from tidegate.drills.watch import Clocks, DrillWatch  # noqa: PLC0415 - the database's imports

                self._watch = DrillWatch(
                    self._state_dir,
                    self._engine_of,
                    lambda: self.settings,
                    self._lead,
                    self._log,
                    Clocks(self._clock.now, self._clock.wall),
                )
            return self._watch

    def samples(self, connection: "Connection", wall: int) -> "list[Sample]":
        """What alerts look at: none while no drill is declared."""
        return self.watch().samples(connection, wall) if self.settings.drills else []

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="drills", daemon=True).start()

    def _run(self) -> None:
        give_way()
        while True:
            self.look()

    def look(self) -> None:
        """One round: what is due, and a rest."""
        if self.settings.drills:
            watch = self.watch()
            watch.rest(watch.look())
            return
        if self._declaration.now.version:  # else nobody knows yet what is declared
            with contextlib.suppress(OSError):  # a worker without drills does not look at it
                (self._state_dir / OUT).unlink(missing_ok=True)
        time.sleep(_IDLE)
