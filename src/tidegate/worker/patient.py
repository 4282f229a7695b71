"""A worker's part in patient work: where runners of this machine call, by which secret, and where the desk is."""

from pathlib import Path
from typing import Final

from tidegate.edge.access.tickets import Tickets
from tidegate.edge.errands import Errands
from tidegate.edge.gateway import Gateway
from tidegate.model.jobs import CALLS, KEY, SOCKET
from tidegate.model.snapshot import Profile, Provider, Snapshot
from tidegate.observe.log import Log
from tidegate.ports import Clock, Observer
from tidegate.units import DAY_US
from tidegate.wire.server import Server
from tidegate.wire.upstream import UpstreamPool

_LONGEST_KEY: Final = 1_024
_CONNECT_US: Final = 5_000_000
_PROMPT_US: Final = 45_000_000  # the desk's own patience with its database is 30 s
_SILENT_US: Final = 60_000_000  # a reply that has begun goes on or beats
_AROUND: Final = 1_048_576  # bytes of a form beside its file
_UPLOADS: Final = frozenset((b"/v1/files", b"/v1/messages/batches"))
_UNUSED: Final = Profile(name="", dialect="openai", dated="", source="")  # nothing is governed there


class Ways:
    """The connections to the desk. Fulfils `errands.Desk`. Needs a running event loop."""

    __slots__ = ("prompt", "waiting")

    def __init__(self, socket: Path, clock: Clock) -> None:
        self.prompt = _pool(socket, clock, _PROMPT_US)
        self.waiting = _pool(socket, clock, DAY_US)  # each call has a deadline of its own


class Patient:
    """It stays over reloads; what a runtime does not know of it nobody can ask for."""

    __slots__ = ("_clock", "_enabled", "_listening", "_log", "_most", "_observer", "_own", "_state", "_tickets")

    def __init__(self, state: Path, own: Path, clock: Clock, observer: Observer, log: Log) -> None:
        self._clock = clock
        self._observer = observer
        self._most = 0
        self._state = state
        self._own = own
        self._log = log
        self._enabled = False
        self._listening = False
        self._tickets = Tickets(self._secret)

    def follow(self, snapshot: Snapshot) -> Tickets | None:
        """Whose tickets a runtime of this snapshot takes; None: nobody's."""
        self._enabled = snapshot.jobs.enabled
        self._most = snapshot.jobs.max_file_bytes + _AROUND if self._enabled else 0
        return self._tickets if self._enabled else None

    def join(self, gateway: Gateway) -> None:
        """From the first time that there is such work, what clients ask of it is passed on."""
        if self._enabled and not gateway.pipeline.jobs.there:
            ways = Ways(self._state / SOCKET, self._clock)
            gateway.pipeline.jobs = Errands(ways, gateway.replies, self._clock, self._observer)

    async def listen(self, server: Server) -> None:
        """From then on, take the calls of runners, and long uploads. It never ends the worker."""
        if self._listening or not self._enabled:
            return
        self._listening = True
        server.allow(self._longest)
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

    def _longest(self, method: bytes, path: bytes) -> int:
        """What goes to the desk as it comes may be as long as a file."""
        return self._most if method == b"POST" and path in _UPLOADS else 0

    def _secret(self) -> bytes:
        try:
            with (self._state / KEY).open("rb") as file:
                return file.read(_LONGEST_KEY)
        except OSError:
            return b""


def _pool(socket: Path, clock: Clock, first_byte_us: int) -> UpstreamPool:
    desk = Provider(
        name="desk",
        base_url=f"unix:{socket}",
        profile=_UNUSED,
        scopes=(),
        connect_timeout_us=_CONNECT_US,
        first_byte_timeout_us=first_byte_us,
        idle_timeout_us=_SILENT_US,
    )
    return UpstreamPool(desk, clock)
