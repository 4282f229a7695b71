"""Waiting for the end of a job, with a word to the client now and then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive

from tidegate.jobs.desk.answers import Outcome, forgotten, head_of, outcome
from tidegate.jobs.desk.bodies import until_gone
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.desk.views import location
from tidegate.jobs.desk.watch import Waiter, Watch
from tidegate.jobs.records import Job

_AGAIN_US = 500_000


Beat = Callable[[], Awaitable[None]]


class Left(Exception):
    """The client is not there any more."""


async def silent() -> None:
    """Nothing is said meanwhile."""


@asynccontextmanager
async def present(watch: Watch, job: Job, receive: Receive) -> AsyncIterator[Waiter]:
    """Who waits for this job until its client leaves."""
    with watch.waiter(job) as waiter:
        leaving = asyncio.get_running_loop().create_task(until_gone(receive))
        leaving.add_done_callback(lambda _: waiter.leave())
        try:
            yield waiter
        finally:
            leaving.cancel()


async def end(desk: Desk, waiter: Waiter, until: int, beat_us: int, beat: Beat | None = None) -> Outcome | None:
    """Its answer, or the ended job that has none; None: it has not ended at `until` (monotonic).

    `beat` is called whenever nothing was said for so long. Without one None is also what is told when the desk ends.
    Raises `Left`, and `Refused` where the job is deleted, or the desk ends.
    """
    now = desk.clock.now()
    while not waiter.ended:
        if now >= until:
            return None
        if beat is None and waiter.ending:
            return None
        if waiter.closed:
            raise _closing(waiter.job)
        news = await waiter.change(min(until, now + beat_us))
        if waiter.left:
            raise Left
        now = desk.clock.now()
        if not news and beat is not None and now < until:
            await beat()
    return await _outcome(desk, waiter.job, until)


def _closing(job: str) -> Refused:
    message = f"The gate is going down; the job {job} goes on when it is back. Ask for its answer at {location(job)}."
    return Refused(Fault.UNAVAILABLE, message, head=head_of(job, where=True))


async def _outcome(desk: Desk, job: str, until: int) -> Outcome:
    """As the rows have it; a database that is away for a moment is asked again."""
    while True:
        try:
            found, answer = await desk.call(outcome, desk.rows, job)
        except (SQLAlchemyError, Unavailable):
            if desk.clock.now() + _AGAIN_US > until:
                message = (
                    f"The job {job} has ended, and its answer cannot be read now. Ask for it at {location(job)}/result."
                )
                raise Refused(Fault.UNAVAILABLE, message, head=head_of(job, where=True)) from None
            await desk.clock.sleep(_AGAIN_US)
            continue
        if found is None and answer is None:
            raise forgotten(job)
        return found, answer
