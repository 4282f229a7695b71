"""One member of etcd, in a folder of its own: frozen and let go on."""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from bench.process import NotReady, await_ready, end, free_port
from bench.valkey import die_with, libc


class Etcd:
    """It dies with the process that started it."""

    def __init__(self) -> None:
        """Raises `NotReady`."""
        if shutil.which("etcd") is None:
            raise NotReady("etcd is not installed; on Debian: apt-get install etcd-server")
        self.home = Path(tempfile.mkdtemp(prefix="tidegate-etcd-"))
        self.port = free_port()
        clients, peers = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{free_port()}"
        words = ["--data-dir", str(self.home / "data"), "--listen-client-urls", clients]
        words += ["--advertise-client-urls", clients, "--listen-peer-urls", peers]
        words += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}", "--unsafe-no-fsync"]
        log = self.home / "log"
        with log.open("ab") as file:
            before = partial(die_with, os.getpid(), libc())  # calls one function of libc: no lock is taken
            self.process = subprocess.Popen(["etcd", *words], stdout=file, stderr=file, preexec_fn=before)  # noqa: PLW1509
        await_ready(self.process, self._answers, log, 20)

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
