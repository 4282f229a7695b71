"""What the desk's tests stand on: the application over real rows, its clients, and a runner that answers as told."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.types import Message

from tidegate.clock import SystemClock
from tidegate.jobs.desk.app import app
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.watch import Watch
from tidegate.jobs.records import End, Lease, Result
from tidegate.jobs.rows.open import open_rows
from tidegate.model.handed import Requester, written
from tidegate.model.jobs import CALLER_HEADER, DONE, EMBEDDED, JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

CHAT = "/v1/chat/completions"
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
JSON_HEAD = b"content-type: application/json\r\nx-request-id: req_1\r\n"
ALICE = Requester("alice", "team", "", "")
BOB = Requester("bob", "", "", "")
_WAIT = 20.0


def hold(deadline_ms: int = 20_000, backend: str = "") -> str:
    told = {"strategy": "m", "backend": backend, "deadline_ms": deadline_ms, "stream": False}
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


class Reply:
    """What a client got."""

    def __init__(self, messages: Sequence[Message]) -> None:
        start = next(one for one in messages if one["type"] == "http.response.start")
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        self.pieces = [one.get("body", b"") for one in messages if one["type"] == "http.response.body"]
        self.body = b"".join(self.pieces)

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json()["error"]

    def events(self) -> list[tuple[str, Any]]:
        """Name and data of each event; comments as ("", text)."""
        found: list[tuple[str, Any]] = []
        for event in self.body.decode().split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in event.split("\n") if not line.startswith(":"))
            data = lines.get("data", event)
            found.append((lines.get("event", ""), json.loads(data) if data.startswith("{") else data))
        return found


class Visit:
    """One request of one client, who may leave."""

    def __init__(self, application: Any, method: str, target: str, body: bytes, headers: dict[str, str]) -> None:
        path, _, query = target.partition("?")
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "scheme": "http",
            "server": ("desk", 80),
        }
        self._application = application
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.messages: list[Message] = []
        self._said = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        await self._application(self._scope, self._incoming.get, self._take)

    async def _take(self, message: Message) -> None:
        self.messages.append(message)
        self._said.set()

    def leave(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def said(self, text: bytes) -> None:
        """Return when the body holds this."""
        async with asyncio.timeout(_WAIT):
            while text not in b"".join(one.get("body", b"") for one in self.messages):
                self._said.clear()
                await self._said.wait()

    async def over(self) -> list[Message]:
        """All that was said, when it is over."""
        async with asyncio.timeout(_WAIT):
            await self._task
        return self.messages

    async def reply(self) -> Reply:
        return Reply(await self.over())


class Pokes:
    """Hints that are counted."""

    def __init__(self) -> None:
        self.works = 0
        self.told: list[str] = []

    def work(self) -> None:
        self.works += 1

    def changed(self, jobs: Sequence[str]) -> None:
        self.told.extend(jobs)


class Stand:
    def __init__(self, place: Path, settings: JobSettings | None = None, snapshot: Snapshot | None = None) -> None:
        self.place = place
        self.snapshot = snapshot or Snapshot(1, (), jobs=settings or JobSettings(enabled=True))
        self.hints = Pokes()
        self.clock = SystemClock()
        self.desk = Desk(self.snapshot, place, self.clock, self.hints, Log("test"))
        self.watch = Watch(self.desk)
        self.app = app(self.desk, self.watch)

    @asynccontextmanager
    async def open(self, *, rows: bool = True) -> AsyncIterator["Stand"]:
        self.desk.tried.set()
        if rows:
            self.open_rows()
        looking = asyncio.get_running_loop().create_task(self.watch.run())
        try:
            yield self
        finally:
            looking.cancel()
            self.desk.close()
            if self.desk.open:
                self.desk.rows.engine.dispose()

    def open_rows(self) -> None:
        self.desk.rows = open_rows(self.snapshot.jobs, "", self.place)

    def visit(
        self, method: str, target: str, body: object = b"", caller: Requester | None = ALICE, **headers: str
    ) -> Visit:
        """Words of `headers` have `_` for `-`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        if caller is not None:
            lines[CALLER_HEADER.decode()] = written(caller).decode()
        return Visit(self.app, method, target, data, lines)

    async def ask(
        self, method: str, target: str, body: object = b"", caller: Requester | None = ALICE, **headers: str
    ) -> Reply:
        return await self.visit(method, target, body, caller, **headers).reply()

    async def made(self, caller: Requester = ALICE, **fields: object) -> str:
        """The id of a new job."""
        reply = await self.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK, **fields}, caller)
        assert reply.status == 202, reply.body
        return str(reply.json()["id"])

    # A runner

    def lease(self) -> Lease:
        (lease,) = self.desk.rows.claim(EMBEDDED, 1, "runner", 60_000_000, self.clock.wall())
        return lease

    def finish(
        self,
        lease: Lease,
        status: int = 200,
        body: object = ANSWER,
        *,
        state: str = DONE,
        reason: str = "",
        head: bytes = JSON_HEAD,
    ) -> None:
        """As the runner says it, status 0: there was no answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        result = Result(status, head, data) if status else None
        end = End(id=lease.id, fence=lease.fence, state=state, reason=reason, result=result, call_id="req_1")
        assert self.desk.rows.finish([end], self.clock.wall()) == [True]
        self.watch.poke([lease.id])

    async def leased(self) -> Lease:
        """The next job, when there is one."""
        async with asyncio.timeout(_WAIT):
            while not (found := self.desk.rows.claim(EMBEDDED, 1, "runner", 60_000_000, self.clock.wall())):
                await self.clock.sleep(2_000)
        return found[0]
