"""The admin API without a server: an office over a new database, and a client that calls the application."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from sqlalchemy import Engine

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.front import Front
from tidegate.control.admin.office import Clocks, Office
from tidegate.control.admin.services.tokens import create
from tidegate.control.admin.views.sent import NewToken
from tidegate.control.board import Board
from tidegate.control.declared import Declaration, Declared
from tidegate.model.entitlements import Allowance, ClientKey, Namespace, User
from tidegate.observe.log import Log
from tidegate.store.engine import open_engine
from tidegate.store.upgrade import upgrade

WALL = 1_790_000_000_000_000
SELF = Actor("test", "admin", "", "local")
FILED = Namespace(
    "filed",
    clients=(ClientKey("filed-1", b"f" * 32),),
    users=(User("fred", allowance=Allowance(rpm=5)),),
    allowance=Allowance(nano_month=1_500_000_000),
)
DECLARED = Declared(version=3, clients=(ClientKey("lone", b"l" * 32),), namespaces=(FILED,), warnings=("careful",))


@dataclass
class Hands:
    """Clocks that are turned by hand; microseconds."""

    now: int = 1
    wall: int = WALL

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: self.wall)


class Lines(Log):
    """A log that is kept."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__("control")
        self.lines: list[str] = []

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.lines.append(json.dumps({"level": level, "event": event, **fields}, default=str))


@dataclass
class Desk:
    """One admin port, and who may use it."""

    folder: Path
    declared: Declared = DECLARED
    hands: Hands = field(default_factory=Hands)
    log: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.declaration = Declaration(self.declared)
        self.engine: Engine | None = open_engine("", self.folder)
        upgrade(self.engine)
        self.board = Board()
        self.office = Office(
            self.folder, lambda: self.engine, self.declaration, self.board, self.log, self.hands.clocks()
        )
        self.front = Front(lambda: self.office)
        self.tokens: dict[str, str] = {}

    def token(self, role: str, namespace: str | None = None, name: str = "") -> str:
        """A token of a role, made once."""
        who = name or f"{role}-{namespace or 'all'}"
        if who not in self.tokens:
            said = NewToken.model_validate({"name": who, "role": role, "namespace": namespace})
            self.tokens[who] = create(self.office.changes, SELF, said).token
        return self.tokens[who]

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "admin",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        peer: str = "127.0.0.1",
    ) -> httpx.Response:
        """One request; below `/admin/v1` unless the path begins with `//`. `token` None = without."""
        given = {"host": "localhost:8081"}
        if token is not None:
            given["authorization"] = f"Bearer {self.token(token) if not token.startswith('tga_') else token}"
        given |= dict(headers or {})
        url = "http://localhost:8081" + (path[1:] if path.startswith("//") else f"/admin/v1{path}")
        return asyncio.run(self._ask(method, url, body, given, content, peer))

    async def _ask(
        self, method: str, url: str, body: object, headers: Mapping[str, str], content: bytes | None, peer: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.front.guarded, raise_app_exceptions=True, client=(peer, 123))
        async with httpx.AsyncClient(transport=transport) as client:
            given: dict[str, Any] = {"content": content} if content is not None else {}
            if body is not None:
                given = {"json": body}
            return await client.request(method, url, headers=dict(headers), **given)

    def made(self, path: str, body: object) -> dict[str, Any]:
        """POST something, which must be made."""
        answer = self.ask("POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found


def opened(folder: Path) -> Iterator[Desk]:
    """A desk, as a fixture yields it."""
    made = Desk(folder)
    yield made
    if made.engine is not None:
        made.engine.dispose()
