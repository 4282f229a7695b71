"""One engine as it runs: rows, clerk, runners as processes of their own, and a stand-in for the gate."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from harness.servers.broker import Broker
from tests.jobs.run.setting import CHAT, HOUR, snapshot
from tests.jobs.run.standin import Request, Standin
from tidegate.clock import SystemClock
from tidegate.jobs.clerk import Clerk
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.hints import DESK, Ear, UnixHints
from tidegate.jobs.records import Job, NewJob, Owner
from tidegate.jobs.rows.open import open_rows
from tidegate.model.jobs import EMBEDDED, ENDS, shown
from tidegate.model.snapshot import encode
from tidegate.observe.log import Log
from tidegate.supervisor.messages import Load
from tidegate.supervisor.messages import encode as framed

PATIENCE = 50.0  # of a test, on a machine that is busy
LEASE_US = 1_500_000


class Runner:
    """A process as the supervisor starts it."""

    def __init__(self, state_dir: Path, configuration: bytes, number: int) -> None:
        self._channel, theirs = socket.socketpair()
        words = ["--channel", str(theirs.fileno()), "--worker", str(number), "--state-dir", str(state_dir)]
        with theirs, (state_dir / "runner.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tidegate.jobs.runner", *words], pass_fds=[theirs.fileno()], stderr=log
            )
        self._channel.sendall(framed(Load(configuration)))

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self._channel.close()

    async def end(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self.process.wait, PATIENCE)
        finally:
            self._channel.close()


class Program:
    """A process as an operator starts it, in a folder of its own, with what it says."""

    def __init__(self, state_dir: Path, *words: str, **environ: str) -> None:
        self._log = state_dir / "program.log"
        with self._log.open("ab") as log:
            environment = {**os.environ, **environ, "PYTHONUNBUFFERED": "1"}
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=state_dir, env=environment, stdout=log, stderr=log
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Stand:
    """All of it. `broker` None: the embedded engine."""

    def __init__(self, state_dir: Path, broker: Broker | None, gate_url: str, gate: Standin) -> None:
        self.state_dir = state_dir
        self.broker = broker
        self.gate = gate
        self.backend = EMBEDDED if broker is None else broker.url
        self.name = shown(self.backend).partition(":")[0]
        settings = snapshot(
            backend=self.backend,
            gate_url=gate_url,
            concurrency=8,
            runners=2,
            lease_us=LEASE_US,
            base_us=50_000,
            max_attempts=3,
            max_crashes=2,
        )
        self.snapshot = replace(settings, server=replace(settings.server, drain_timeout_us=100_000))
        self.clock = SystemClock()
        self.rows = open_rows(self.snapshot.jobs, "", state_dir)
        self.hints = UnixHints(state_dir, DESK)
        self.desk = Desk(self.snapshot, state_dir, self.clock, self.hints, Log("desk"))
        self.desk.rows = self.rows
        self.clerk = Clerk(self.desk, self.snapshot)
        self.ear = Ear(state_dir, DESK, self.clerk.poke, _nothing)
        self._clerk = asyncio.get_running_loop().create_task(self.clerk.run())
        self.runners: list[Runner] = []

    def runner(self) -> Runner:
        """One more."""
        self.runners.append(Runner(self.state_dir, encode(self.snapshot), len(self.runners)))
        return self.runners[-1]

    def configuration(self) -> Path:
        """A file that says the same, but for the backend."""
        jobs = f"{{gate_url: {self.snapshot.jobs.gate_url}, lease_seconds: 3, concurrency: 8}}"
        scopes = "[{name: s, keys: [none]}]"
        path = self.state_dir / "tidegate.yaml"
        path.write_text(
            f"providers: {{p: {{profile: generic, base_url: http://127.0.0.1:9, scopes: {scopes}}}}}\njobs: {jobs}\n"
        )
        return path

    def submit(self, name: str, **changed: object) -> None:
        """A job that the gate is told the name of."""
        said: dict[str, object] = {
            "id": name,
            "owner": Owner("sales", "ada"),
            "path": CHAT,
            "body": name.encode(),
            "backend": self.backend,
            "deadline_us": self.clock.wall() + HOUR,
        }
        self.rows.submit([NewJob(**(said | changed))], self.clock.wall())  # type: ignore[arg-type]
        self.hints.work()
        self.clerk.poke()

    def cancel(self, name: str) -> None:
        self.rows.cancel(name, None, self.clock.wall())
        self.hints.changed([name])

    async def until(self, name: str, right: Callable[[Job], bool]) -> Job:
        """The job, when it is so."""
        limit = time.monotonic() + PATIENCE
        while True:
            job = self.rows.find(name)
            assert job is not None
            if right(job):
                return job
            assert time.monotonic() < limit, f"{job}\n{self.said()}"
            assert not self._clerk.done(), self._clerk.exception()
            await asyncio.sleep(0.02)

    def said(self) -> str:
        """By all processes."""
        return "".join([path.read_text(errors="replace")[-3_000:] for path in self.state_dir.glob("*.log")])

    async def ended(self, name: str) -> Job:
        """The job, when it has ended."""
        return await self.until(name, lambda job: job.state in ENDS)

    async def asked_for(self, name: str, times: int = 1) -> Request:
        """The gate's last request of a job, when it has had so many."""
        async with self.gate.came:
            await self.gate.came.wait_for(lambda: len(self.requests(name)) >= times)
        return self.requests(name)[-1]

    def requests(self, name: str) -> list[Request]:
        return [one for one in self.gate.requests if one.body == name.encode()]

    async def close(self) -> None:
        for runner in self.runners:
            if runner.process.poll() is None:
                runner.kill()
        self._clerk.cancel()
        await asyncio.wait([self._clerk])
        self.ear.close()
        self.hints.close()
        self.desk.close()
        self.rows.engine.dispose()


def _nothing(_jobs: list[str]) -> None:
    """Nobody waits at the desk."""
