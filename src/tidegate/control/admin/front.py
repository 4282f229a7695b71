"""The admin API on its port: guarded, and built when the first request comes.

Nothing of a framework or a database is imported before; who looks after the store (`keep`) imports the second only.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.control.admin.auth.guard import Guard

if TYPE_CHECKING:
    from tidegate.control.admin.office import Office

HOSTS = "TIDEGATE_ADMIN_HOSTS"  # in the environment: names besides the loopback's, with spaces between
_SOON_SECONDS = 0.1


class Front:
    """An ASGI application under `/admin/` and `/docs`."""

    __slots__ = ("_app", "_building", "_lock", "_make", "_office", "_poked", "_warming", "guarded")

    def __init__(
        self, make: "Callable[[], Office]", hosts: Iterable[str] = (), poked: threading.Event | None = None
    ) -> None:
        """`make` is called once, in a thread. `poked`: look after the store now, for another node changed something."""
        self._make = make
        self._office: Office | None = None
        self._lock = threading.Lock()
        self._poked = threading.Event() if poked is None else poked
        self._app: ASGIApp | None = None
        self._building = asyncio.Lock()
        self._warming: asyncio.Task[None] | None = None
        self.guarded = Guard(self._serve, hosts)

    def office(self) -> "Office":
        """The one that all threads share."""
        with self._lock:
            if self._office is None:
                self._office = self._make()
            return self._office

    def start(self, open_yet: Callable[[], bool]) -> None:
        """Look after the store in a thread that does not keep the process alive, once `open_yet` says that it is."""
        threading.Thread(target=self._keep, args=(open_yet,), name="caretaker", daemon=True).start()

    def warm(self) -> None:
        """Build it now, beside what else is served: a page was opened that will ask it."""
        if self._app is None and self._warming is None:
            self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        with contextlib.suppress(Exception):  # the first request meets it, too, and is told
            await self._application()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._application())(scope, receive, send)

    async def _application(self) -> ASGIApp:
        if self._app is None:
            async with self._building:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._built)
        return self._app

    def _built(self) -> ASGIApp:
        from tidegate.control.admin.app import application  # noqa: PLC0415 - a gate that nobody manages needs none of it

        return application(self.office())

    def _keep(self, open_yet: Callable[[], bool]) -> None:
        while not open_yet():
            time.sleep(_SOON_SECONDS)
        from tidegate.control.admin.services.caretaker import EVERY_SECONDS, Caretaker  # noqa: PLC0415 - the database's imports

        caretaker = Caretaker(self.office())
        while True:
            self._poked.clear()
            caretaker.look()
            self._poked.wait(EVERY_SECONDS)
