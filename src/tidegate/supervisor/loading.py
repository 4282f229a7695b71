"""A run of the loader: a process that turns the configuration file into a snapshot, or says what is wrong, and ends."""

import os
import subprocess
import sys
from collections.abc import Sequence
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

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _decoded(output: bytearray) -> list[Message]:
    try:
        return Decoder().feed(bytes(output))
    except ProtocolError:
        return []
