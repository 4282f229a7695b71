"""One member of etcd, in a folder of its own: frozen and let go on."""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from harness.ports import free_ports
from harness.process import NotReady, await_ready, end, with_us


class Etcd:
    """It dies with the process that started it."""

    def __init__(self) -> None:
        """Raises `NotReady`."""
        if shutil.which("etcd") is None:
            raise NotReady("etcd is not installed; on Debian: apt-get install etcd-server")
        self.home = Path(tempfile.mkdtemp(prefix="tidegate-etcd-"))
        self.port, between = free_ports(2)
        clients, peers = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{between}"
        words = ["--data-dir", str(self.home / "data"), "--listen-client-urls", clients]
        words += ["--advertise-client-urls", clients, "--listen-peer-urls", peers]
        words += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}", "--unsafe-no-fsync"]
        log = self.home / "log"
        with log.open("ab") as file:
            self.process = subprocess.Popen(["etcd", *words], stdout=file, stderr=file, preexec_fn=with_us())
        await_ready(self.process, self._answers, log, 20)

    @property
    def url(self) -> str:
        """As `regions` takes it."""
        return f"etcd+http://127.0.0.1:{self.port}"

    def freeze(self) -> None:
        """It says nothing any more, and takes connections all the same."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, frozen or not."""
        self.thaw()
        end(self.process)
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (OSError, urllib.error.URLError):
            return False
