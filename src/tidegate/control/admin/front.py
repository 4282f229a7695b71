"""The admin API on its port: guarded, and built when somebody will ask it.

That is when a page is opened, when keys are managed here, or with the first request. Nothing of a framework or a
database is imported before; who looks after the store (`tend`) imports the second only.
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
    from tidegate.control.admin.services.caretaker import Caretaker

HOSTS = "TIDEGATE_ADMIN_HOSTS"  # in the environment: names besides the loopback's, with spaces between
_SOON_SECONDS = 0.1
_EVERY_SECONDS = 5.0  # between looks: most find nothing, since who changes something says so
_DEAF_SECONDS = 0.5  # between looks while other nodes are not heard: what they revoked is revoked here within a second


class Front:
    """An ASGI application under `/admin/` and `/docs`."""

    __slots__ = ("_app", "_building", "_deaf", "_lock", "_make", "_office", "_poked", "_warming", "guarded")

    def __init__(
        self,
        make: "Callable[[], Office]",
        hosts: Iterable[str] = (),
        poked: threading.Event | None = None,
        deaf: Callable[[], bool] = lambda: False,
    ) -> None:
        """`make` is called once, in a thread. `poked`: look after the store now, for another node changed something.

        `deaf`: nobody would poke if one did.
        """
        self._make = make
        self._office: Office | None = None
        self._lock = threading.Lock()
        self._poked = threading.Event() if poked is None else poked
        self._deaf = deaf
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
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._keep, args=(open_yet, loop), name="caretaker", daemon=True).start()

    @property
    def warming(self) -> bool:
        """It is built though nobody has asked it yet, or will be at once."""
        return self._warming is not None

    def warm(self) -> None:
        """Build it now, beside what else is served: a page was opened that will ask it, or somebody manages keys."""
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

    @property
    def pause_s(self) -> float:
        """Seconds until the next look, unless somebody pokes."""
        return _DEAF_SECONDS if self._deaf() else _EVERY_SECONDS

    def tend(self, caretaker: "Caretaker", loop: asyncio.AbstractEventLoop) -> None:
        """Look after the store once.

        Where users and keys are managed the API is built before it is asked: its imports take a second, and who
        revokes a key has none.
        """
        caretaker.look()
        if self._app is None and not self.warming and self.office().changes.managed:
            loop.call_soon_threadsafe(self.warm)

    def _keep(self, open_yet: Callable[[], bool], loop: asyncio.AbstractEventLoop) -> None:
        while not open_yet():
            time.sleep(_SOON_SECONDS)
        from tidegate.control.admin.services.caretaker import Caretaker  # noqa: PLC0415 - the database's imports

        caretaker = Caretaker(self.office())
        while True:
            self._poked.clear()
            self.tend(caretaker, loop)
            self._poked.wait(self.pause_s)
