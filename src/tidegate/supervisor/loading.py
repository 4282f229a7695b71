"""A run of the loader: a process that turns the configuration file into a snapshot, or says what is wrong, and ends."""

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from tidegate.supervisor.messages import Decoder, Loaded, Message, Named, ProtocolError

_READ = 1_048_576
KEPT = "configuration.kept"  # in the state directory: what all nodes of a cluster share, as it was last in force


class Outcome(NamedTuple):
    """What the loader came to: the snapshot or None, its words line by line, its exit status.

    `files` are those that the configuration names, None when it could not be read so far.
    """

    loaded: Loaded | None
    lines: list[str]
    status: int
    files: tuple[str, ...] | None = None
    late: bool = False  # it was ended at its deadline


class Loader:
    """The loader on one selector: one run at a time, each of which ends by itself or at its deadline.

    `until` is when `look` has something to do.
    """

    __slots__ = ("_command", "_ended", "_given_up", "_loading", "_seconds", "_selector", "until")

    def __init__(
        self,
        selector: selectors.BaseSelector,
        command: tuple[str, str],
        seconds: float,
        ended: Callable[[Outcome], None],
    ) -> None:
        """`command`: module and file. `ended` is called with what each run came to."""
        self._selector = selector
        self._command = command
        self._seconds = seconds
        self._ended = ended
        self._loading: Loading | None = None
        self._given_up: list[Loading] = []
        self.until: float | None = None

    @property
    def busy(self) -> bool:
        """Is a run under way?"""
        return self._loading is not None

    def start(self, now: float, version: int, more: Sequence[str]) -> None:
        """Begin a run; there must be none. Raises `OSError`."""
        loading = self._loading = Loading(*self._command, version, more)
        self.until = now + self._seconds
        for descriptor in loading.readable:
            self._selector.register(descriptor, selectors.EVENT_READ, partial(self._on_pipe, loading, descriptor))

    def _on_pipe(self, loading: "Loading", descriptor: int, _events: int) -> None:
        if loading is self._loading and not loading.read(descriptor):
            self._selector.unregister(descriptor)
            self.reap()

    def reap(self) -> None:
        """A child has ended: maybe it was this one."""
        self._given_up = [loading for loading in self._given_up if not loading.gone]
        outcome = self._loading.outcome() if self._loading is not None else None
        if outcome is not None:
            self._over(outcome)

    def look(self, now: float) -> None:
        """End the run whose time is over. It may take its time to die, for which nobody waits."""
        loading = self._loading
        if loading is None or self.until is None or self.until > now:
            return
        for descriptor in loading.readable:
            self._selector.unregister(descriptor)
        loading.give_up()
        self._given_up.append(loading)
        line = (
            f"error: {self._command[1]} was not read within {self._seconds:g} s: it, or a file that it names, does not "
            "answer; see whether one is a pipe, or lies on a mount that is away"
        )
        self._over(Outcome(None, [line], 1, late=True))

    def kill(self) -> None:
        """End the run at once; nobody hears of it."""
        if self._loading is not None:
            self._loading.give_up()
            self._loading = None

    def _over(self, outcome: Outcome) -> None:
        self._loading = self.until = None
        self._ended(outcome)


class Loading:
    """One loader at work. `readable` are its two pipes, to be watched; non-blocking."""

    __slots__ = ("_output", "_process", "_words", "readable")

    def __init__(self, module: str, path: str, version: int, more: Sequence[str] = ()) -> None:
        """Start it, with `more` options. Raises `OSError`."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, path, "--version", str(version), *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        output, words = self._process.stdout, self._process.stderr
        if output is None or words is None:
            raise OSError("no pipes")
        self.readable = [output.fileno(), words.fileno()]
        self._output = bytearray()
        self._words = bytearray()

    def read(self, descriptor: int) -> bool:
        """Take what one pipe has; False when it ended. Call it when the pipe is readable."""
        data = os.read(descriptor, _READ)
        if not data:
            self.readable.remove(descriptor)
        elif self._process.stderr is not None and descriptor == self._process.stderr.fileno():
            self._words += data
        else:
            self._output += data
        return bool(data)

    def outcome(self) -> Outcome | None:
        """The end of it, once both pipes have ended and so has the process; None before."""
        if self.readable or self._process.poll() is None:
            return None
        self._close()
        status = self._process.returncode
        said = _decoded(self._output)
        loaded = next((message for message in said if isinstance(message, Loaded)), None)
        files = next((message.files for message in said if isinstance(message, Named)), None)
        lines = self._words.decode(errors="replace").splitlines()
        return Outcome(loaded if status == 0 else None, lines, status, files)

    def give_up(self) -> None:
        """End it, and wait for nothing: who hangs in a read of a dead mount may not die at once."""
        self._process.kill()
        self._close()

    @property
    def gone(self) -> bool:
        """Has it ended?"""
        return self._process.poll() is not None

    def _close(self) -> None:
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _decoded(output: bytearray) -> list[Message]:
    try:
        return Decoder().feed(bytes(output))
    except ProtocolError:
        return []
