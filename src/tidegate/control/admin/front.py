"""The admin API on its port: guarded, and built when the first request comes."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.control.admin.guard import Guard

if TYPE_CHECKING:
    from tidegate.control.admin.office import Office


class Front:
    """An ASGI application; until it is first called it has imported neither framework nor database."""

    __slots__ = ("_app", "_building", "_make", "guarded")

    def __init__(self, make: "partial[Office]", hosts: Iterable[str] = ()) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._building = asyncio.Lock()
        self.guarded = Guard(self._serve, hosts)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            async with self._building:
                if self._app is None:
                    self._app = await asyncio.to_thread(_built, self._make)
        await self._app(scope, receive, send)


def _built(make: "partial[Office]") -> ASGIApp:
    from tidegate.control.admin.app import application  # noqa: PLC0415 - a gate that nobody manages needs none of it

    return application(make())
