"""For `celery -A tidegate.jobs.celery.app worker`: what is needed stands in the environment."""

import asyncio
import os
import threading
from collections.abc import Mapping
from typing import Final

import uvloop
from celery import Celery, signals
from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.celery.hands import GivenBack, Hands
from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.celery.tasks import celery_app
from tidegate.jobs.fleet import Fleet, Unfit, fleet_of
from tidegate.jobs.hints import guest_name
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.run.footing import Footing
from tidegate.model.jobs import EMBEDDED
from tidegate.observe.log import Log
from tidegate.store.engine import BadDatabase
from tidegate.store.schema import NewerSchema

CONFIG: Final = "TIDEGATE_CONFIG"
STATE_DIR: Final = "TIDEGATE_STATE_DIR"
BACKEND: Final = "TIDEGATE_QUEUE_BACKEND"
_WHAT: Final = {
    CONFIG: "the gate's configuration file",
    STATE_DIR: "the gate's state directory",
    BACKEND: "the URL of the broker, as redis://localhost:6379/0 or amqp://USER:PASSWORD@localhost:5672/VHOST",
}


class Apart:
    """The event loop of a process of Celery's, in a thread; made with its first message: in each child after a fork."""

    __slots__ = ("_fleet", "_footing", "_hands", "_lock", "_log", "_loop", "_owner")

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._log = Log("celery")
        self._lock = threading.Lock()
        self._owner = 0  # the process whose they are
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hands: Hands | None = None
        self._footing: Footing | None = None

    def take(self, job: object, fence: object) -> str:
        """As `Hands.take`."""
        with self._lock:
            own = self._hands if self._owner == os.getpid() else None
            hands = own or self._begin()
        return hands.take(job, fence)

    def _begin(self) -> Hands:
        """Raises `GivenBack` while the database is away."""
        loop = uvloop.new_event_loop()
        threading.Thread(target=loop.run_forever, name="jobs", daemon=True).start()
        try:
            hands = asyncio.run_coroutine_threadsafe(self._begun(), loop).result()
        except SQLAlchemyError as error:
            loop.call_soon_threadsafe(loop.stop)
            raise GivenBack("the database of jobs cannot be reached") from error
        self._loop, self._hands, self._owner = loop, hands, os.getpid()
        return hands

    def end(self, **_: object) -> None:
        """Celery is told to end: what runs has a moment, and is handed back. For a signal's handler: takes no lock."""
        if self._loop is not None and self._owner == os.getpid():
            asyncio.run_coroutine_threadsafe(self._ended(), self._loop)

    async def _begun(self) -> Hands:
        snapshot = self._fleet.snapshot
        name = guest_name()
        self._footing = Footing(snapshot, self._fleet.state_dir, name, self._log)
        self._footing.work.start()
        return Hands(self._footing.work, snapshot.jobs.lease_us, name)

    async def _ended(self) -> None:
        if self._hands is not None and self._footing is not None:
            await self._hands.rest()
            await self._footing.stop()


def plain_app(environ: Mapping[str, str]) -> Celery:
    """The application, by the environment. Raises `SystemExit` with what is missing or wrong, and the remedy."""
    for name in (CONFIG, STATE_DIR):
        if not environ.get(name):
            raise SystemExit(f"error: the variable {name} is not set: it names {_WHAT[name]}")
    try:
        fleet = fleet_of(environ[CONFIG], environ[STATE_DIR], environ.get(BACKEND, ""), environ, tuple(_WHAT))
        if fleet.backend == EMBEDDED:
            raise Unfit(f"the variable {BACKEND} is not set: it names {_WHAT[BACKEND]}")
        rows = open_rows(fleet.snapshot.jobs, fleet.snapshot.ledger.database, fleet.state_dir)
    except (Unfit, BadDatabase, NewerSchema) as error:
        raise SystemExit(f"error: {error}") from None
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
        raise SystemExit(f"error: the database of jobs cannot be opened: {said}") from None
    queue = queue_of(rows.secret())
    rows.engine.dispose()  # none of its connections is there when a process forks
    apart = Apart(fleet)
    app = celery_app(fleet.backend, queue, fleet.snapshot.jobs, apart.take)
    signals.worker_shutting_down.connect(apart.end, weak=False)
    return app
