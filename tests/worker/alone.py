"""A real worker process without a gate: the test is its supervisor."""

import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import httpx2

from harness.process import ROOT
from harness.wait import DEADLINE, wait_until
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Snapshot
from tidegate.supervisor.messages import Decoder, Load, Message, encode


class Worker:
    """It serves when this is made. As a context: it is ended."""

    def __init__(self, folder: Path, snapshot: Snapshot, broken: str = "nothing") -> None:
        self._ours, theirs = socket.socketpair()
        self._decoder = Decoder()
        self._heard: list[Message] = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._log = folder / "log"
        words = ["--channel", str(theirs.fileno()), "--listen", str(listener.fileno()), "--state-dir", str(folder)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker.broken", broken, *words, "--worker", "0"],
                pass_fds=(theirs.fileno(), listener.fileno()),
                stderr=log,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": path},
            )
        theirs.close()
        listener.close()
        self.load(snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()

    def load(self, snapshot: Snapshot) -> None:
        """Serve by this from now on."""
        self._ours.sendall(encode(Load(snapshots.encode(snapshot))))

    def hears(self) -> Message:
        """What it says next."""
        while not self._heard:
            readable, _, _ = select.select([self._ours], [], [], 3 * DEADLINE)
            assert readable, f"it says nothing; its log: {self.log()}"
            data = self._ours.recv(65_536)
            assert data, f"it has ended; its log: {self.log()}"
            self._heard += self._decoder.feed(data)
        return self._heard.pop(0)

    def models(self) -> list[str]:
        """What it serves."""
        with httpx2.Client(trust_env=False) as client:
            told = client.get(f"http://127.0.0.1:{self.port}/v1/models", timeout=DEADLINE).json()
        return sorted(model["id"] for model in told["data"])

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.log(), lambda: f"{text!r} in the log: {self.log()}")
