"""What a thread of Celery's does with a message: lease the row, have it run on the process's event loop, wait."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.records import Dispatch, End, Lease
from tidegate.jobs.run.work import Work

OLD: Final = "old"  # the row says that its message is: the job runs, has ended, or was dispatched anew
LOST: Final = "lost"  # it was another's before it had ended
_PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0)  # seconds that a database is waited for


class GivenBack(Exception):
    """The message is the broker's again; the text says why."""


class Hands:
    """For any number of threads. Made on the event loop that `work` runs on."""

    __slots__ = ("_lease_us", "_leasing", "_loop", "_name", "_resting", "_work")

    def __init__(self, work: Work, lease_us: int, name: str) -> None:
        """`name`: as attempts tell who ran them."""
        self._work = work
        self._lease_us = lease_us
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._leasing = threading.Lock()  # one at a time: a database gains nothing by more
        self._resting = threading.Event()

    def take(self, job: object, fence: object) -> str:
        """Run it to its end in the rows; returns the state it has then, `OLD` or `LOST`. Blocks.

        Raises `GivenBack` while the process ends, and when the database was away for some ten seconds.
        """
        if not isinstance(job, str) or not isinstance(fence, int):
            return OLD  # whoever wrote it, it was not us
        for pause in _PAUSES:
            try:
                running = self._begun(Dispatch(job, fence))
            except SQLAlchemyError:
                self._resting.wait(pause)
                continue
            if running is None:
                return OLD
            end = running.result()
            return LOST if end is None else end.state
        raise GivenBack("the database of jobs cannot be reached")

    async def rest(self) -> None:
        """Take nothing more. When it returns, whatever was taken is in `work`'s hands."""
        self._resting.set()
        await asyncio.to_thread(self._leasing.acquire)
        self._leasing.release()

    def _begun(self, dispatch: Dispatch) -> "Future[End | None] | None":
        """None: its message is old. Raises `GivenBack`, `SQLAlchemyError`."""
        with self._leasing:
            if self._resting.is_set():
                raise GivenBack("this worker is ending")
            lease = self._lease(dispatch)
            return None if lease is None else asyncio.run_coroutine_threadsafe(self._work.do(lease), self._loop)

    def _lease(self, dispatch: Dispatch) -> Lease | None:
        work = self._work
        return work.rows.lease(dispatch, self._name, self._lease_us, work.clock.wall())
