"""The directory that holds what outlives the processes. One gate at a time."""

import fcntl
import os

from tidegate.supervisor.failure import GateError

_LONGEST_SOCKET = 100  # bytes of a Unix socket's path that every system takes


class StateDir:
    """An owned state directory: created if need be (0700) and locked until this process ends."""

    __slots__ = ("_lock", "path")

    def __init__(self, path: str) -> None:
        """Raises `GateError` when it cannot be used or another gate has it."""
        self.path = os.path.abspath(path)  # noqa: PTH100 - pathlib costs 5 ms of the start and this is all it would do
        if len(os.fsencode(self.path + "/control.sock")) > _LONGEST_SOCKET:
            raise GateError(f"the path of state directory {self.path} is too long for a socket: choose a shorter one")
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)  # noqa: PTH103
            self._lock = os.open(self.path + "/lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise GateError(f"state directory {self.path} cannot be used: {error.strerror}") from None
        self._claim()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
            os.close(self._lock)
            raise GateError(
                f"state directory {self.path} is in use by another gate (pid {owner}): "
                "stop it or choose another with --state-dir"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another gate have it."""
        os.close(self._lock)
