"""Starting and ending the programs that a bench needs. What was started is ended by its own process id."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.cpu import tree

READY_AFTER: dict[int, float] = {}  # seconds from exec until a program was ready, by process id


class NotReady(Exception):
    """A program ended or stayed silent instead of becoming ready; the message ends with the tail of its log."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def await_ready(child: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float) -> None:
    """Return when `ready()` is true. Raises `NotReady` when the child ends or `seconds` have passed."""
    limit = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None or time.monotonic() > limit:
            tail = log.read_text(errors="replace")[-800:] if log.exists() else ""
            raise NotReady(f"{child.args!r} is not ready (exit {child.poll()}): {tail}")
        time.sleep(0.01)


def end(child: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    """SIGTERM, then SIGKILL to whatever of its tree is left."""
    pids = tree(child.pid)
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    for pid in pids:
        if pid != child.pid or child.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    child.wait()


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], bool],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 20.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program from its readiness to the end of the block. Its output goes to `log`."""
    begun = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        try:
            await_ready(child, ready, log, seconds)
            READY_AFTER[child.pid] = time.monotonic() - begun
            yield child
        finally:
            end(child)
