"""The gate's own Valkey, as the supervisor keeps it: where workers share what no other server is named for.

It is there before any worker is told of it, is started again when it dies, and ends last.
"""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable

from tidegate.observe.log import Log
from tidegate.supervisor.failure import GateError
from tidegate.supervisor.process_manager import ProcessManager
from tidegate.supervisor.service import Death, Service, describe

SOCKET = "valkey.sock"  # in the state directory, as `model/cluster.py` says
DIRECTORY = "valkey"
LOG = "log"

_LOOK = 0.01  # seconds between two questions whether it answers
_PATIENCE = 60.0  # for it to answer: it reads what it kept
_END = 3.0  # for it to write down what it has
REMEDY = "pip install 'tidegate[workers]', or name a server in cluster.url, or serve with --workers 1"


def url_of(state_dir: str) -> str:
    """Where workers find it."""
    return f"unix://{state_dir}/{SOCKET}"


class OwnValkey:
    """One server. `now` is in monotonic seconds."""

    __slots__ = ("_asking", "_failed_at", "_keeper", "_log", "_now", "_state_dir", "at", "ready", "service")

    def __init__(self, module: str, state_dir: str, keeper: ProcessManager, log: Log, now: Callable[[], float]) -> None:
        self._keeper = keeper
        self._log = log
        self._now = now
        self._state_dir = state_dir
        self._asking: socket.socket | None = None
        self._failed_at = 0.0  # when it is too late for the first answer
        self.service = Service("valkey", module, None, state_dir, -1)
        self.at: float | None = None  # when to look next
        self.ready = False  # it has answered

    def start(self) -> None:
        """Start it, once. Raises `GateError` when there is none to start, `OSError`."""
        if self.service in self._keeper.services:
            return
        self._failed_at = self._now() + _PATIENCE
        self._keeper.start(self.service)

    def begun(self) -> None:
        """Its process was started. What an earlier one left must not answer for it."""
        with contextlib.suppress(OSError):
            os.unlink(f"{self._state_dir}/{SOCKET}")  # noqa: PTH108 - as in supervisor/state_dir.py
        self.at = self._now()

    def look(self, now: float) -> bool:
        """Call it at `at`; True when it has answered for the first time in this life. Raises `GateError`."""
        if self.at is None or now < self.at:
            return False
        self.at = now + _LOOK
        if not self._answered():
            if not self.ready and now > self._failed_at:
                raise GateError(f"the gate's own Valkey does not answer; see {self._logged()}")
            return False
        self.at = None
        self.ready = self.service.ready = True
        return True

    def buried(self, death: Death) -> None:
        """It ended. Raises `GateError` when it never served."""
        self._forget()
        self.at = None
        how = describe(death.status)
        if not self.ready:
            raise GateError(f"the gate's own Valkey ended before it served ({how}); see {self._logged()}; or {REMEDY}")
        delay = round(death.delay, 3)
        self._log.error("the gate's own Valkey ended and is started again", how=how, delay=delay, see=self._logged())
        self.service.start_at = self._now() + death.delay

    def end(self) -> None:
        """Nobody needs it any more: it writes down what it has, and ends. Blocks, for a moment."""
        self._forget()
        self.at = self.service.start_at = None
        process = self.service.process
        if process is not None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END)

    def _answered(self) -> bool:
        """Ask without waiting: a question in one look, its answer in one of the next."""
        try:
            if self._asking is None:
                self._asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._asking.setblocking(False)
                self._asking.connect(f"{self._state_dir}/{SOCKET}")
                self._asking.send(b"PING\r\n")
            said = self._asking.recv(64)
        except BlockingIOError:
            return False
        except OSError:
            said = b""
        self._forget()
        return said.startswith(b"+PONG")  # or that it loads what it kept

    def _forget(self) -> None:
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def _logged(self) -> str:
        return os.path.join(self._state_dir, DIRECTORY, LOG)  # noqa: PTH118 - as in supervisor/state_dir.py
