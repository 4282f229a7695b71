"""A child that is kept alive: its process, its channel, and when to start it again."""

import socket
import subprocess
import sys
from typing import NamedTuple

from tidegate.supervisor.backoff import Backoff
from tidegate.supervisor.messages import Decoder, Message, ProtocolError, encode

_READ = 65_536
_STDERR = 2


class Death(NamedTuple):
    """A process that ended: its exit status (negative: the signal) and the seconds until the next start."""

    status: int
    delay: float
    said: list[Message]  # what it still had to say


class Service:
    """One child at a time of one kind. All calls are non-blocking; the supervisor's loop does the waiting."""

    __slots__ = (
        "_backoff",
        "_command",
        "_decoder",
        "_inherited",
        "_outbox",
        "_started",
        "after",
        "channel",
        "name",
        "process",
        "ready",
        "start_at",
    )

    def __init__(
        self, name: str, module: str, listener: socket.socket | None, state_dir: str, worker: int, own_dir: str = ""
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.channel: socket.socket | None = None
        self.ready = False
        self.start_at: float | None = None  # a moment when it has to be started again
        self.after = ""  # the folder of whom it succeeds
        self._backoff = Backoff()
        self._decoder = Decoder()
        self._outbox = bytearray()
        self._started = 0.0
        self._inherited = listener
        # -P: a file in the working directory must not become one of our modules.
        self._command = [sys.executable, "-P", "-m", module, "--state-dir", state_dir, "--worker", str(worker)]
        if own_dir:
            self._command += ["--own-dir", own_dir]

    def start(self, now: float) -> socket.socket:
        """Start the process; returns our end of its channel. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                self.process = self._spawn(theirs.fileno())
        except OSError:
            ours.close()
            raise
        self.channel = ours
        self.ready = False
        self.start_at = None
        self._started = now
        self._decoder = Decoder()
        self._outbox.clear()
        return ours

    def _spawn(self, channel: int) -> subprocess.Popen[bytes]:
        listen = () if self._inherited is None else (self._inherited.fileno(),)
        inherited = ["--channel", str(channel), *(word for one in listen for word in ("--listen", str(one)))]
        return subprocess.Popen(
            [*self._command, *inherited, *(("--after", self.after) if self.after else ())],
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,  # our standard output carries one line, and it is ours
            pass_fds=(channel, *listen),
            process_group=0,  # Ctrl-C is for the supervisor to act on
        )

    def send(self, message: Message) -> None:
        """Queue a message; `flush` sends it. Nothing when the child is away: a new one starts with what is true."""
        if self.channel is not None:
            self._outbox += encode(message)

    def flush(self) -> bool:
        """Send what the channel takes now; True when something is left."""
        if self.channel is None:
            return False
        try:
            while self._outbox:
                del self._outbox[: self.channel.send(self._outbox)]
        except BlockingIOError:
            return True
        except OSError:
            self._outbox.clear()  # its end; the exit status will tell
        return False

    def receive(self) -> list[Message] | None:
        """What the child said; None when the channel ended or it said nonsense: then it must go."""
        if self.channel is None:
            return None
        try:
            data = self.channel.recv(_READ)
            return self._decoder.feed(data) if data else None
        except BlockingIOError:
            return []
        except (OSError, ProtocolError):
            return None

    def reap(self, now: float) -> Death | None:
        """What became of the process, if it ended. The channel is closed: unregister it first."""
        if self.process is None or self.process.poll() is None:
            return None
        said: list[Message] = []
        while more := self.receive():
            said += more
        self.close()
        status = self.process.returncode
        self.process = None
        return Death(status, self._backoff.died(now - self._started), said)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()

    def close(self) -> None:
        """Close our end of the channel."""
        self.ready = False
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    @property
    def pid(self) -> int:
        """The process, 0 when there is none."""
        return self.process.pid if self.process is not None else 0


def describe(status: int) -> str:
    """An exit status in words."""
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
