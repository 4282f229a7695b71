"""A RabbitMQ server as the system has it installed: a real one, of one's own, that can be stopped, killed, emptied.

It has ports, folder, cookie, node name and `epmd` (Erlang's port mapper) of its own, so that whatever else of RabbitMQ
runs on the machine is neither seen nor touched. Ready in about four seconds, with 130 MB.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from harness.ports import accepts, free_port
from harness.process import NotReady, await_ready

_DEADLINE = 60.0
_SCRIPT = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # Debian's; the one on PATH insists on a user and home of its own
_WATCHED = '"$@" & read _; kill -9 0'  # a shell that ends its group when who started it lets go of the pipe, or dies
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
vm_memory_high_watermark.relative = 0.8
disk_free_limit.absolute = 1MB
heartbeat = 10
"""


def installed() -> bool:
    """Whether there is one to start."""
    return _SCRIPT.exists()


class RabbitMq:
    """One server on 127.0.0.1, empty. It dies with the process that started it."""

    def __init__(self) -> None:
        if not installed():
            raise NotReady("rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server")
        self._home = Path(tempfile.mkdtemp(prefix="tidegate-rabbitmq-"))
        self.port, self._epmd_port, self._dist_port = free_port(), free_port(), free_port()
        self._mapper: subprocess.Popen[bytes] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._write_files()
        self.start()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it, again after `kill`: with what it kept, unless `lose` was called."""
        if self._mapper is None:
            self._mapper = self._popen("epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1")
            await_ready(self._mapper, partial(accepts, self._epmd_port), self._home / "log", _DEADLINE)
        self.process = self._popen(str(_SCRIPT))
        try:
            await_ready(self.process, self._greets, self._home / "log", _DEADLINE)
        except NotReady:
            self.close()
            raise

    def kill(self) -> None:
        """SIGKILL, with whatever it started."""
        if self.process is not None:
            _end(self.process)

    def lose(self) -> None:
        """Whatever it kept is gone. Only after `kill`."""
        shutil.rmtree(self._home / "data", ignore_errors=True)

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """Stop it; with SIGCONT let it go on."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def revive(self) -> None:
        """It runs."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        else:
            self.freeze(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        if self._mapper is not None:
            _end(self._mapper)
            self._mapper = None
        shutil.rmtree(self._home, ignore_errors=True)

    def _write_files(self) -> None:
        (self._home / "rabbitmq.conf").write_text(_CONFIGURATION.format(port=self.port))
        (self._home / "enabled_plugins").write_text("[].\n")

    def _popen(self, *words: str) -> subprocess.Popen[bytes]:
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *words],
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._home,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        home = self._home
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(home),  # of its cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_NODENAME": f"tidegate{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def _greets(self) -> bool:
        """It says what it is: it listens before it can serve."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"AMQP\x00\x00\x09\x01")
                return line.recv(1) == b"\x01"  # a method frame: Connection.Start
        except OSError:
            return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """With its group: the server is a script that runs Erlang, which runs helpers."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
