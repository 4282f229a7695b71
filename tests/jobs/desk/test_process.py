"""The process as the supervisor starts it: a channel, a socket of its own user's, settings that change, an end."""

import asyncio
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.jobs.desk.stand import ALICE, ASK, CHAT, hold
from tidegate.clock import SystemClock
from tidegate.jobs.desk.process import Process
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.run.footing import COMMIT_US, GRACE_US
from tidegate.model import snapshot as snapshots
from tidegate.model.handed import written
from tidegate.model.jobs import CALLER_HEADER, HOLD_HEADER, KEY, SOCKET, JobSettings
from tidegate.model.snapshot import LedgerSettings, ServerSettings, Snapshot
from tidegate.observe.log import Log
from tidegate.supervisor.messages import Decoder, Drain, Load, Message, Ready, encode

_WHO = {CALLER_HEADER.decode(): written(ALICE).decode()}


class Running:
    """One desk process, and the supervisor's end of its channel."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(30)
        command = [sys.executable, "-m", "tidegate.jobs.desk", "--channel", str(theirs.fileno())]
        self.process = subprocess.Popen(
            [*command, "--state-dir", str(state_dir)], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE
        )
        theirs.close()
        self._decoder = Decoder()

    def tell(self, message: Message) -> None:
        self._channel.sendall(encode(message))

    def load(self, snapshot: Snapshot) -> None:
        self.tell(Load(snapshots.encode(snapshot)))

    def heard(self) -> list[Message]:
        return list(self._decoder.feed(self._channel.recv(65_536)))

    def ended(self) -> tuple[int, str]:
        """Its status, and its log."""
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log.decode()

    def close(self) -> None:
        self._channel.close()
        self.process.kill()
        self.process.communicate()

    def client(self) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=str(self.state_dir / SOCKET))
        return httpx2.AsyncClient(transport=transport, base_url="http://desk", headers=_WHO, timeout=30)


@pytest.fixture
def running(place: Path) -> Iterator[Running]:
    desk = Running(place)
    yield desk
    desk.close()


async def opened(client: httpx2.AsyncClient) -> None:
    """Return when its database is open, which may be tried again."""
    while (await client.get("/v1/jobs")).status_code == 503:
        pass


async def test_a_life(running: Running) -> None:
    """Ready, then served: on a socket of its own user's; the workers' key is written; it ends when it is let go."""
    running.load(Snapshot(1, (), jobs=JobSettings(enabled=True)))
    assert running.heard() == [Ready(running.process.pid)]
    assert stat.S_IMODE((running.state_dir / SOCKET).stat().st_mode) == 0o600
    async with running.client() as client:
        await opened(client)
        reply = await client.post("/v1/jobs", json={"path": CHAT, "body": ASK})
        assert reply.status_code == 202
        assert (await client.get(reply.headers["location"])).json()["state"] == "queued"
    key = running.state_dir / KEY
    rows = open_rows(JobSettings(), "", running.state_dir)
    assert key.read_bytes() == rows.secret()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    rows.engine.dispose()
    running.load(Snapshot(2, (), jobs=JobSettings(enabled=True, max_queued=1)))
    assert running.heard() == [Ready(running.process.pid)]
    async with running.client() as client:
        assert (await client.post("/v1/jobs", json={"path": CHAT, "body": ASK})).status_code == 429
    running.tell(Drain())
    assert running.ended() == (0, "")


async def test_who_waits_is_told_that_it_ends(running: Running) -> None:
    """Who can come back is asked to at once, and a held call is told where its job is when the gate waits no more."""
    server = ServerSettings(drain_timeout_us=1)
    running.load(Snapshot(1, (), jobs=JobSettings(enabled=True), server=server))
    running.heard()
    async with running.client() as client:
        await opened(client)
        job = (await client.post("/v1/jobs", json={"path": CHAT, "body": ASK})).json()["id"]
        async with client.stream("GET", f"/v1/jobs/{job}/events") as events:
            lines = events.aiter_lines()
            assert await anext(lines) == "id: 1"
            waits = asyncio.ensure_future(client.get(f"/v1/jobs/{job}/result?wait=60"))
            held = asyncio.ensure_future(client.post(CHAT, json=ASK, headers={HOLD_HEADER.decode(): hold()}))
            while len((await client.get("/v1/jobs")).json()["data"]) < 2:
                pass
            running.tell(Drain())
            assert "data: " in "".join([line async for line in lines])
        reply = await waits
        assert (reply.status_code, reply.headers["x-tidegate-job"]) == (202, job)
        reply = await held
        assert reply.status_code == 503
        assert reply.headers["location"] in reply.json()["error"]["message"]
    assert running.ended()[0] == 0


class Hasty(SystemClock):
    """Sleeps in no time."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0

    def now(self) -> int:
        return self.slept

    async def sleep(self, duration: int) -> None:
        self.slept += duration


async def test_no_longer_than_the_runners_may_need(place: Path) -> None:
    """Who is still held then is told at once, however long the gate would wait for its calls."""
    snapshot = Snapshot(1, (), jobs=JobSettings(enabled=True), server=ServerSettings(drain_timeout_us=600_000_000))
    clock = Hasty()
    process = Process(snapshot, place, clock, Log("test"), lambda: None)
    held = asyncio.get_running_loop().create_task(_forever())
    process._server.server_state.tasks.add(held)
    await process.drain()
    held.cancel()
    await process.close()
    assert process._watch.closed
    assert clock.slept <= GRACE_US + COMMIT_US + 3_000_000


async def _forever() -> None:
    await asyncio.Event().wait()


async def test_a_database_that_cannot_be_opened(running: Running) -> None:
    """It is told once; requests are refused meanwhile; when it can be opened it is."""
    wall = running.state_dir / "wall"
    wall.write_bytes(b"")
    running.load(Snapshot(1, (), jobs=JobSettings(enabled=True, database=f"sqlite:///{wall}/jobs.db")))
    running.heard()
    async with running.client() as client:
        reply = await client.post("/v1/jobs", json={"path": CHAT, "body": ASK})
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
        wall.unlink()
        wall.mkdir()
        await opened(client)
        assert (await client.post("/v1/jobs", json={"path": CHAT, "body": ASK})).status_code == 202
    running.tell(Drain())
    status, log = running.ended()
    assert status == 0
    assert log.count("cannot be opened") == 1
    assert "is open" in log


async def test_another_database_is_another_process(running: Running) -> None:
    """It ends by itself, and the supervisor starts the next one."""
    running.load(Snapshot(1, (), jobs=JobSettings(enabled=True)))
    running.heard()
    running.load(Snapshot(1, (), jobs=JobSettings(enabled=True), ledger=LedgerSettings(database="postgresql://h/d")))
    status, log = running.ended()
    assert status == 0
    assert "begins anew" in log
