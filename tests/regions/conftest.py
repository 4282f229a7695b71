"""Real stores: an etcd of one member, and a Valkey."""

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.process import end
from bench.valkey import Valkey

SECONDS = 20.0


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


class Etcd:
    """One member on ports of its own, that can be stopped."""

    def __init__(self, home: Path) -> None:
        self.port, peer = free_ports(2)
        clients, peers = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{peer}"
        words = ["--data-dir", str(home), "--listen-client-urls", clients, "--advertise-client-urls", clients]
        words += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
        words += ["--initial-cluster", f"default={peers}", "--unsafe-no-fsync"]
        log = (home.parent / "etcd.log").open("ab")
        self.process = subprocess.Popen(["etcd", *words], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            assert self.process.poll() is None, (home.parent / "etcd.log").read_text()[-800:]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @property
    def url(self) -> str:
        return f"etcd+http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (OSError, urllib.error.URLError):
            return False


@pytest.fixture(scope="session")
def etcd() -> Iterator[Etcd]:
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed; on Debian: apt-get install etcd-server")
    home = Path(tempfile.mkdtemp(prefix="tidegate-etcd-"))
    started = Etcd(home / "data")
    try:
        yield started
    finally:
        end(started.process)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    started = Valkey()
    try:
        yield started
    finally:
        started.close()


@pytest.fixture(params=["etcd", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """Of each kind of store."""
    if request.param == "etcd":
        return str(request.getfixturevalue("etcd").url)
    return str(request.getfixturevalue("valkey").url)
