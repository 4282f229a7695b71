"""A program that is run for a notice: bounded in time and output, with nothing of the gate's environment.

It gets a process group of its own, which is killed when the time is over, and of which nothing is left when it ends.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tidegate.alerts.face import NotSent
from tidegate.alerts.texts import clean
from tidegate.ports import Clock
from tidegate.wire.limit import TimeLimit

_KEPT: Final = 1_024  # bytes of what it complains of
_PIECE: Final = 65_536
_REAPING_US: Final = 2_000_000
_INHERITED: Final = ("PATH", "HOME", "LANG")


class Ended(NamedTuple):
    """How it ended, and the first line of what it complained of."""

    status: int
    complaint: str


def inherited(environ: Mapping[str, str], more: Sequence[str] = ()) -> dict[str, str]:
    """What programs may know of our environment: where programs are, whose home it is, and the language."""
    return {name: environ[name] for name in (*_INHERITED, *more) if name in environ}


async def run(words: Sequence[str], said: bytes, environ: Mapping[str, str], clock: Clock, until: int) -> Ended:
    """Run it with `said` on its standard input. Raises `NotSent` when it cannot be run or takes too long."""
    complaints = _Complaints()
    process: asyncio.subprocess.Process | None = None
    try:
        async with TimeLimit(clock, until):
            with tempfile.TemporaryFile() as file:
                file.write(said)
                file.seek(0)
                process = await asyncio.create_subprocess_exec(
                    *words, stdin=file, stdout=asyncio.subprocess.DEVNULL, stderr=complaints.writer, env=environ,
                    start_new_session=True,
                )  # fmt: skip
            status = await process.wait()
    except TimeoutError:
        raise NotSent("the command took too long and was killed; raise `timeout_seconds`, or have it do less") from None
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable argument"
        raise NotSent(f"the command cannot be run: {why}; check `command`", final=True) from None
    finally:
        if process is not None:
            await _end(process, clock)
        complaints.close()
    return Ended(status, complaints.first)


async def _end(process: asyncio.subprocess.Process, clock: Clock) -> None:
    """It and all that it started. Who was killed is gone at once, unless the kernel holds it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with TimeLimit(clock, clock.now() + _REAPING_US):
            await process.wait()


class _Complaints:
    """Its standard error: read to the end, so that it never waits for us, and forgotten but for the beginning."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._kept = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)

    @property
    def first(self) -> str:
        line = self._kept.decode(errors="replace").strip().partition("\n")[0]
        return clean(line, 200)

    def close(self) -> None:
        self._loop.remove_reader(self._reader)
        self._read()
        os.close(self._reader)
        os.close(self.writer)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._kept = (self._kept + os.read(self._reader, _PIECE))[:_KEPT]
