"""Processes that run for as long as a block does: started, ready when they say so, ended with their parent."""

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tidegate.ports import Clock

_LOOK_US = 20_000
_READY_US = 30_000_000
_END_US = 8_000_000
_PR_SET_PDEATHSIG = 1


class ChildError(RuntimeError):
    """A process did not start, or ended by itself. The message holds the last lines it wrote."""


class Child:
    """A running `tidegate` command. Its output goes to a file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self.name = name
        self.urls: list[str] = []
        self._process = process
        self._output = output

    def check(self) -> None:
        """Raises `ChildError` when it has ended."""
        if self._process.poll() is not None:
            lines = self._output.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            raise ChildError(f"the {self.name} ended with status {self._process.returncode}: " + "\n".join(lines))

    async def ready(self, clock: Clock, pattern: str) -> None:
        """Wait for the line that says so and note the URLs in it. Raises `ChildError`."""
        limit = clock.now() + _READY_US
        while (found := re.search(pattern, self._output.read_text(encoding="utf-8", errors="replace"))) is None:
            self.check()
            if clock.now() > limit:
                raise ChildError(f"the {self.name} was not ready in {_READY_US // 1_000_000} s")
            await clock.sleep(_LOOK_US)
        self.urls = re.findall(r"https?://[^\s)]+", found[0])

    async def end(self, clock: Clock) -> None:
        """SIGTERM, and SIGKILL when it does not end in a few seconds."""
        if self._process.poll() is None:
            self._process.terminate()
        limit = clock.now() + _END_US
        while self._process.poll() is None and clock.now() < limit:
            await clock.sleep(_LOOK_US)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@asynccontextmanager
async def child(name: str, words: list[str], folder: Path, clock: Clock, ready: str) -> AsyncIterator[Child]:
    """`tidegate WORDS…` until the end of the block. `ready`: a pattern of the line that says it serves."""
    started = start(name, [sys.executable, "-m", "tidegate", *words], folder / f"{name}.log", {})
    try:
        await started.ready(clock, ready)
        yield started
    finally:
        await started.end(clock)


def start(name: str, command: list[str], output: Path, env: Mapping[str, str]) -> Child:
    """Any program, that ends with this process. Raises `OSError` where there is none."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is the parent's to act on
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no other thread runs here, and nothing else ends an orphan
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        )
    return Child(name, process, output)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
