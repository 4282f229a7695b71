"""Pokes between the processes of one machine: datagrams over Unix sockets in `state_dir/hints/`, one for each listener.

Nothing here waits and nothing fails: a hint to who is not there, or does not keep up, is lost. What a hint says is also
in the rows, where everybody looks by itself from time to time.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = "hints"
DESK: Final = "desk"
_WORK: Final = b"w"
_CHANGED: Final = b"c"
_MOST: Final = 1_000  # ids in a datagram: well below what the kernel takes at once
_LONGEST: Final = 65_536
_GUEST: Final = "guest-"  # of a process that the supervisor did not start: its name is used once


def runner_name(number: int) -> str:
    """Of the supervisor's runner with this number."""
    return f"runner-{number}"


def guest_name() -> str:
    """Of a runner that somebody else has started."""
    return f"{_GUEST}{os.getpid()}"


class UnixHints:
    """`faces.Hints`. For any thread. O(listeners) system calls a hint."""

    __slots__ = ("_folder", "_own", "_socket")

    def __init__(self, state_dir: Path, own: str = "") -> None:
        """`own`: the name that this process listens by, and is not poked at."""
        self._folder = os.fspath(state_dir / FOLDER)
        self._own = own
        self._socket = _datagrams()

    def work(self) -> None:
        """There is something to claim or dispatch."""
        self._send([_WORK])

    def changed(self, jobs: Sequence[str]) -> None:
        """These have another state."""
        pieces = [jobs[start : start + _MOST] for start in range(0, len(jobs), _MOST)]
        self._send([_CHANGED + "\n".join(piece).encode() for piece in pieces])

    def close(self) -> None:
        """What is said from now on is lost."""
        self._socket.close()

    def _send(self, messages: list[bytes]) -> None:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - once a hint, and a tenth of the cost
        except OSError:
            return
        for name in names:
            if name != self._own:
                self._send_to(name, messages)

    def _send_to(self, name: str, messages: list[bytes]) -> None:
        path = f"{self._folder}/{name}"
        try:
            for message in messages:
                self._socket.sendto(message, path)
        except ConnectionRefusedError:
            if name.startswith(_GUEST):
                Path(path).unlink(missing_ok=True)  # it has died, and nobody will come by its name
        except OSError:
            return


class Ear:
    """Hears hints on the running event loop, until it is closed; where nothing can be bound `deaf` says why."""

    __slots__ = ("_changed", "_loop", "_path", "_socket", "_work", "deaf")

    def __init__(
        self, state_dir: Path, name: str, work: Callable[[], None], changed: Callable[[list[str]], None]
    ) -> None:
        """`work` and `changed` are called as `faces.Hints` has them; `name` is one process's alone."""
        self._loop = asyncio.get_running_loop()
        self._path = state_dir / FOLDER / name
        self._work = work
        self._changed = changed
        self._socket = _datagrams()
        self.deaf = ""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._socket.bind(os.fspath(self._path))
        except OSError as error:
            self.deaf = str(error)
            return
        self._loop.add_reader(self._socket, self._hear)

    def close(self) -> None:
        """Hear nothing more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if not self.deaf:
            self._path.unlink(missing_ok=True)

    def _hear(self) -> None:
        """All that has come: many pokes are one."""
        work = False
        changed: list[str] = []
        while (message := self._next()) is not None:
            work = work or message == _WORK
            if message.startswith(_CHANGED):
                changed += message[1:].decode(errors="replace").split("\n")
        if work:
            self._work()
        if changed:
            self._changed(changed)

    def _next(self) -> bytes | None:
        try:
            return self._socket.recv(_LONGEST)
        except OSError:
            return None


def _datagrams() -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.setblocking(False)
    return opened
