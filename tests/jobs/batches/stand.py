"""A desk with its batches over real rows and a real port, a keeper that steps by hand, runners that are plain code."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from uvicorn.config import Config
from uvicorn.server import Server

from tidegate.clock import SystemClock
from tidegate.jobs.batches import BatchWorker, routes
from tidegate.jobs.desk.app import app
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.watch import Watch
from tidegate.jobs.records import End, Lease, Result
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.handed import Requester, written
from tidegate.model.jobs import CALLER_HEADER, DONE, JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

CHAT = "/v1/chat/completions"
_LEASE_US = 60_000_000

Answer = Callable[[Lease], tuple[str, Result | None]]


class MovedClock(SystemClock):
    """The system's, and a wall clock that is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def wall(self) -> int:
        return super().wall() + self.ahead


class Hints:
    """Nobody hears them."""

    def work(self) -> None:
        """A runner of these tests looks by hand."""

    def changed(self, jobs: object) -> None:
        """Nobody waits."""


def echo(lease: Lease) -> tuple[str, Result | None]:
    """An answer that says what was asked."""
    asked = json.loads(lease.body)
    text = asked["messages"][0]["content"]
    if lease.path == CHAT:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        body: dict[str, Any] = {"id": "c", "object": "chat.completion", "created": 1, "choices": [choice]}
    else:
        content = [{"type": "text", "text": text}]
        usage = {"input_tokens": 3, "output_tokens": 2}
        body = {"id": "m", "type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn",
                "stop_sequence": None, "usage": usage}  # fmt: skip
    body["model"] = asked["model"]
    return DONE, Result(200, b"x-request-id: req_%b\r\n" % lease.id[-4:].encode(), json.dumps(body, indent=1).encode())


class Runner:
    """Claims and finishes."""

    def __init__(self, rows: JobRows, clock: SystemClock) -> None:
        self._rows = rows
        self._clock = clock
        self.ran: list[str] = []

    def claim(self, most: int = 500) -> list[Lease]:
        return self._rows.claim("", most, "runner", _LEASE_US, self._clock.wall())

    def finish(self, leases: list[Lease], answer: Answer = echo) -> None:
        ends = []
        for lease in leases:
            state, result = answer(lease)
            reason = "" if result else "timeout: it took too long"
            ends.append(End(id=lease.id, fence=lease.fence, state=state, result=result, reason=reason,
                            prompt_tokens=3, completion_tokens=2))  # fmt: skip
            self.ran.append(lease.id)
        self._rows.finish(ends, self._clock.wall())

    def all(self, answer: Answer = echo) -> None:
        """Whatever is due."""
        while leases := self.claim():
            self.finish(leases, answer)


class Stand:
    """`start`, then clients of the official SDKs against `base`."""

    def __init__(self, rows: JobRows, folder: Path, **settings: Any) -> None:
        self.clock = MovedClock()
        jobs = JobSettings(enabled=True, files=str(folder / "files"), **settings)
        self.desk = Desk(Snapshot(version=1, providers=(), jobs=jobs), folder, self.clock, Hints(), Log("desk"))
        self.desk.rows = rows
        self.rows = rows
        self.files = folder / "files"
        self.keeper = BatchWorker(self.desk)
        self.runner = Runner(rows, self.clock)
        self._clients: list[AsyncOpenAI | AsyncAnthropic] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.over = False
        made = app(self.desk, Watch(self.desk), routes(self.desk, lambda: self.over))
        self.server = Server(Config(made, log_config=None, lifespan="off", http="httptools", ws="none"))

    async def keep(self) -> None:
        """Whatever the keeper has to do now."""
        while await self.keeper.round():
            pass

    async def through(self, answer: Answer = echo) -> None:
        """Until all batches have ended."""
        await self.keep()
        self.runner.all(answer)
        await self.keep()

    def head(self, client: str, namespace: str = "") -> dict[str, str]:
        return {CALLER_HEADER.decode(): written(Requester(client, namespace)).decode()}

    def openai(self, client: str = "key", namespace: str = "") -> AsyncOpenAI:
        head = self.head(client, namespace)
        made = AsyncOpenAI(base_url=f"{self.base}/v1", api_key="k", max_retries=0, default_headers=head)
        self._clients.append(made)
        return made

    def anthropic(self, client: str = "key", namespace: str = "") -> AsyncAnthropic:
        head = self.head(client, namespace)
        made = AsyncAnthropic(base_url=self.base, api_key="k", max_retries=0, default_headers=head)
        self._clients.append(made)
        return made

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        self.server.should_exit = True

    def left(self) -> set[str]:
        """Names in the folder of files, but for the one that says whose it is."""
        return {path.name for path in self.files.iterdir()} - {"place"} if self.files.exists() else set()


def line(name: str, text: str = "hello", model: str = "m", **more: Any) -> dict[str, Any]:
    """A line of a batch of chat completions."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": name, "method": "POST", "url": CHAT, "body": body} | more


def jsonl(*lines: dict[str, Any] | bytes) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)


def read(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in text.splitlines()]


def ask(name: str, text: str = "hello", **more: Any) -> Any:
    """A request of an Anthropic batch."""
    params = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": name, "params": params | more}
