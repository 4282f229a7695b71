"""A desk that watches a board, and somebody who looks on."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Scope

from tests.control.admin.desk import Desk
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.live import Live
from tidegate.control.windows import StandingWatch

Event = tuple[str, Any]  # its kind, and what it says


def with_live(desk: Desk) -> StandingWatch:
    """From now on it shows what happens."""
    watch = StandingWatch(desk.board, desk.declaration, desk.folder, lambda: desk.hands.wall)
    wall, log = (lambda: desk.hands.wall), desk.log
    desk.office.live = Live(watch, desk.board, desk.declaration, lambda: desk.engine, wall, log)
    return watch


async def signed_out(_door: Authenticator, _request: Request) -> bool:
    """Nobody may look on any more."""
    return False


class Onlooker:
    """One request to a stream, `/live` unless another is named: what came, and whether it has ended."""

    def __init__(
        self, desk: Desk, token: str = "admin", shown: tuple[bytes, bytes] | None = None, path: str = "/live",
        query: str = "", more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:  # fmt: skip
        """`shown`: a header in the place of the token's; `more`: others beside it."""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = ""
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.came = asyncio.Condition()
        shown = shown or (b"authorization", f"Bearer {desk.token(token)}".encode())
        head = [(b"host", b"localhost"), shown, *more]
        scope: Scope = {
            "type": "http", "method": "GET", "path": f"/admin/v1{path}", "query_string": query.encode(),
            "headers": head, "client": ("127.0.0.1", 1), "http_version": "1.1", "raw_path": f"/admin/v1{path}".encode(),
            "scheme": "http",
        }  # fmt: skip
        self._asked = False
        self.task = asyncio.ensure_future(desk.front.guarded(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.text += message.get("body", b"").decode()
        async with self.came:
            self.came.notify_all()

    @property
    def events(self) -> list[Event]:
        found = []
        for block in self.text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in lines:
                found.append((lines["event"], json.loads(lines["data"])))
        return found

    async def after(self, count: int) -> list[Event]:
        """As soon as there are so many events."""
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.events) >= count)
        return self.events
