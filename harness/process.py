"""Starting and ending programs. What was started is ended by its own process id."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.cpu import tree

ROOT = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1
READY_AFTER: dict[int, float] = {}  # seconds from exec until a program was ready, by process id


class NotReady(Exception):
    """A program ended or stayed silent instead of becoming ready; the message ends with the tail of its log."""


def await_ready(child: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float) -> None:
    """Return when `ready()` is true. Raises `NotReady` when the child ends or `seconds` have passed."""
    limit = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None or time.monotonic() > limit:
            tail = log.read_text(errors="replace")[-800:] if log.exists() else ""
            raise NotReady(f"{child.args!r} is not ready (exit {child.poll()}): {tail}")
        time.sleep(0.01)


def ready_line(child: subprocess.Popen[bytes], log: Path, seconds: float) -> str:
    """The first line of a program's output. Raises `NotReady` when there is none in time."""
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], seconds)
    line = child.stdout.readline().decode() if readable else ""
    if "ready" not in line:
        tail = log.read_text(encoding="utf-8", errors="replace")[-4_000:]
        raise NotReady(f"{child.args!r} said {line!r} and is not ready (exit {child.poll()}): {tail}")
    return line


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


def with_us() -> Callable[[], None]:
    """What a child does before its program: it must not outlive who started it (Linux; elsewhere `close` ends it).

    It calls one function of libc, which is loaded here, before the fork: no lock is taken.
    """
    return partial(_die_with, os.getpid(), ctypes.CDLL(None, use_errno=True))


def _die_with(parent: int, calls: ctypes.CDLL) -> None:
    if hasattr(calls, "prctl"):
        calls.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
