"""A worker's part in patient work: where runners of this machine call, by which secret, and where the desk is."""

from pathlib import Path
from typing import Final

from tidegate.edge.tickets import Tickets
from tidegate.model.jobs import CALLS, KEY
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.wire.server import Server

_LONGEST_KEY: Final = 1_024


class Patient:
    """It stays over reloads; what a house does not know of it nobody can ask for."""

    __slots__ = ("_enabled", "_listening", "_log", "_own", "_state", "_tickets")

    def __init__(self, state: Path, own: Path, log: Log) -> None:
        self._state = state
        self._own = own
        self._log = log
        self._enabled = False
        self._listening = False
        self._tickets = Tickets(self._secret)

    def follow(self, snapshot: Snapshot) -> Tickets | None:
        """Whose tickets a house of this snapshot takes; None: nobody's."""
        self._enabled = snapshot.jobs.enabled
        return self._tickets if self._enabled else None

    async def listen(self, server: Server) -> None:
        """Take the calls of runners, from the first time that there is such work. It never ends the worker."""
        if self._listening or not self._enabled:
            return
        self._listening = True
        path = self._own / CALLS
        try:
            await server.listen_at(path)
        except OSError as error:
            self._log.error(
                "runners of this machine cannot reach this worker: no job is run",
                socket=str(path),
                problem=error.strerror or str(error),
                remedy="choose a shorter --state-dir, or set jobs.gate_url to the gate's own URL",
            )

    def _secret(self) -> bytes:
        try:
            with (self._state / KEY).open("rb") as file:
                return file.read(_LONGEST_KEY)
        except OSError:
            return b""
