"""A twin, a broker and a gate with jobs, of which any part can be killed; and clients that give it jobs."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.proofs.fleet import MODEL, Fleet, Gate, Quota, provider
from harness import cpu
from harness.ports import free_port
from harness.servers.broker import Broker, RedisBroker
from harness.servers.rabbitmq import RabbitMq
from harness.twin import Twin
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import ENDS, JobSettings

ENGINES = ("embedded", "Redis", "RabbitMQ")
PLENTY: Final = Quota(accounts=1, tpm=10**12, rpm=10**9)


@dataclass(slots=True)
class Scene:
    """What runs. `rows` are read by the side: the judge asks no process of the gate."""

    engine: str
    provider: Twin
    gate: Gate
    broker: Broker | None
    rows: JobRows

    def kill(self, name: str) -> int:
        """SIGKILL to the processes of the gate whose command names this; how many there were."""
        pids = [pid for pid in cpu.tree(self.gate.pid) if f"tidegate.{name}" in cpu.command(pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def restart(self) -> None:
        """SIGKILL to the supervisor, with which all others end; started again when they have."""
        pids = cpu.tree(self.gate.pid)[1:]
        self.gate.stop(0.0)
        while any(_lives(pid) for pid in pids):
            time.sleep(0.01)
        self.gate.start()

    def idle(self) -> bool:
        """Every job has ended."""
        return not any(depth.jobs for depth in self.rows.depths() if depth.state not in ENDS)

    def executions(self) -> dict[str, int]:
        """How often the provider was asked, by the `user` of the request."""
        counts: dict[str, int] = {}
        events = Fleet(PLENTY, self.provider, self.gate).events()
        for _, _, _, user, *_ in events:
            counts[user] = counts.get(user, 0) + 1
        return counts


@contextlib.contextmanager
def scene(work: Path, engine: str, jobs: dict[str, Any], quota: Quota = PLENTY, **more: Any) -> Iterator[Scene]:
    """All of it until the end of the block. `jobs` is that section of the gate's file, `more` are others."""
    with contextlib.ExitStack() as stack:
        broker = _broker(engine)
        if broker is not None:
            stack.callback(broker.close)
            jobs = {"queue_backend": broker.url} | jobs
        name = f"{engine.lower()}-{free_port()}"
        twin = stack.enter_context(provider(work, quota, name))
        front = Gate(work / f"gate-{name}", settings(twin, quota) | {"jobs": jobs} | more)
        if front.refused:
            raise RuntimeError(front.refused)
        stack.callback(front.stop)
        front.start()
        rows = open_rows(JobSettings(enabled=True), "", front.home / "state")
        stack.callback(rows.engine.dispose)
        yield Scene(engine, twin, front, broker, rows)


def settings(twin: Twin, quota: Quota) -> dict[str, Any]:
    """The smallest file over these accounts."""
    limits = {MODEL: {"rpm": quota.rpm, "tpm": quota.tpm}}
    scopes = [{"name": f"s{n}", "keys": [key], "limits": limits} for n, key in enumerate(quota.keys)]
    return {"providers": {"openai": {"dialect": "openai", "base_url": twin.url, "scopes": scopes}}}


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _broker(engine: str) -> Broker | None:
    if engine == "Redis":
        return RedisBroker()
    return RabbitMq() if engine == "RabbitMQ" else None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who gives jobs, and how large they are. `key` is "" where the gate is open."""

    port: int
    key: str = ""
    tokens: int = 20
    clients: int = 16

    def request(self, number: int) -> bytes:
        """A job that is told from all others by its `user`, and by its Idempotency-Key."""
        said = [{"role": "user", "content": f"question {number}"}]
        asked = {"model": MODEL, "messages": said, "max_tokens": self.tokens, "user": user(number)}
        body = json.dumps({"path": "/v1/chat/completions", "body": asked}).encode()
        key = f"authorization: Bearer {self.key}\r\n" if self.key else ""
        return (
            f"POST /v1/jobs HTTP/1.1\r\nhost: gate\r\n{key}content-type: application/json\r\n"
            f"idempotency-key: n{number}\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body


def user(number: int) -> str:
    """By which the provider's log tells jobs from each other, and from conversations."""
    return f"job/{number}"


async def until(true: Callable[[], bool], seconds: float = 600) -> None:
    """Look until it is, at most for so long. The look may block."""
    limit = time.monotonic() + seconds
    while True:
        if await asyncio.to_thread(true) or time.monotonic() > limit:
            return
        await asyncio.sleep(0.05)


async def submit(asker: Asker, numbers: Sequence[int]) -> dict[int, str]:
    """Give these jobs to the gate, each until it is accepted, however often it takes; their ids."""
    left, accepted = iter(numbers), dict[int, str]()

    async def client() -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for number in left:
            while number not in accepted:
                try:
                    if line is None:
                        line = await asyncio.open_connection("127.0.0.1", asker.port)
                    accepted[number] = await asyncio.wait_for(_given(*line, asker.request(number)), 20)
                except (OSError, EOFError, TimeoutError, ValueError):
                    if line is not None:
                        line[1].transport.abort()
                    line = None
                    await asyncio.sleep(0.1)
        if line is not None:
            line[1].transport.abort()

    await asyncio.gather(*(client() for _ in range(asker.clients)))
    return accepted


async def _given(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> str:
    """Raises `ValueError` where it was not accepted."""
    writer.write(request)
    said = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(said.split(None, 2)[1])
    answer = await _body(reader, said)
    if status not in {200, 202}:
        raise ValueError(f"{status}: {answer[:200]!r}")
    return str(json.loads(answer)["id"])


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if b"content-length:" in head:
        return await reader.readexactly(int(head.partition(b"content-length:")[2].split(None, 1)[0]))
    pieces: list[bytes] = []
    while size := int(await reader.readline(), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(pieces)
