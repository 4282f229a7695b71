"""One look at the rows for all who wait for a job to change."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Final, Self

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.records import Job
from tidegate.model.jobs import ENDS

MOST: Final = 20_000  # who wait
LOOK_US: Final = 250_000
SOON_US: Final = 5_000  # pokes of so long are one look
AWAY_US: Final = 1_000_000  # between looks at a database that does not answer
_PIECE: Final = 500  # ids in one question
_SHARE: Final = 10  # looking at all takes one part of so many, at most

Standing = tuple[str, int]
GONE: Final[Standing] = ("", -1)  # there is no such job any more


class Waiter:
    """One who waits for one job, as a context. `state` is the latest that was heard of; `left`: its client has left."""

    __slots__ = ("_news", "_seen", "_waiting", "_watch", "job", "left", "state")

    def __init__(self, watch: "Watch", job: str, standing: Standing) -> None:
        self._watch = watch
        self.state, self._seen = standing
        self._news = False
        self._waiting: asyncio.Future[None] | None = None
        self.job = job
        self.left = False

    def __enter__(self) -> Self:
        """Raises `Unavailable` where too many wait."""
        self._watch.join(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.leave(self)

    def leave(self) -> None:
        """Its client has left."""
        self.left = True
        self._wake()

    @property
    def ended(self) -> bool:
        """There is no more to wait for."""
        return self.state in ENDS or self._seen == GONE[1]

    def told(self, standing: Standing) -> None:
        """Its job stands so."""
        if standing[1] != self._seen:
            self.state, self._seen = standing
            self._wake()

    @property
    def ending(self) -> bool:
        """The desk is about to end: who can come back is asked to."""
        return self._watch.ending

    @property
    def closed(self) -> bool:
        """The desk ends, and there is nobody to wait with."""
        return self._watch.closed

    def again(self) -> None:
        """What was heard could not be looked at: it is still news."""
        self._wake()

    async def change(self, until: int) -> bool:
        """Return when there is news, at once when there was: of the job or its client. False: none until then."""
        if not self._news:
            self._waiting = waiting = asyncio.get_running_loop().create_future()
            timer = self._watch.clock.call_at(until, partial(_over, waiting))
            try:
                await waiting
            finally:
                timer.cancel()
                self._waiting = None
        news, self._news = self._news, False
        return news

    def _wake(self) -> None:
        self._news = True
        if self._waiting is not None:
            _over(self._waiting)


class Watch:
    """Who waits for which job. O(waiting) a look; what is poked is looked at soon."""

    __slots__ = ("_asked", "_away", "_desk", "_due", "_poked", "_waiters", "_waits", "clock", "closed", "ending")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.clock = desk.clock
        self._waiters: dict[str, list[Waiter]] = {}
        self._waits = 0
        self._asked: set[str] = set()
        self._poked = asyncio.Event()
        self._due = 0  # when all are looked at again
        self._away = False
        self.ending = False  # who can come back is asked to
        self.closed = False  # and nobody is waited with any more

    def __len__(self) -> int:
        return self._waits

    def waiter(self, job: Job) -> Waiter:
        """To be entered by who has seen the job like this."""
        return Waiter(self, job.id, (job.state, job.version))

    def join(self, waiter: Waiter) -> None:
        """O(1). Raises `Unavailable`."""
        if self._waits >= MOST:
            raise Unavailable("Too many clients wait for their jobs here. Ask how it stands instead: GET /v1/jobs/ID.")
        self._waiters.setdefault(waiter.job, []).append(waiter)
        self._waits += 1
        if self._waits == 1:
            self._due = self.clock.now() + LOOK_US
            self._poked.set()

    def leave(self, waiter: Waiter) -> None:
        """O(those who wait for the same job)."""
        those = self._waiters[waiter.job]
        those.remove(waiter)
        self._waits -= 1
        if not those:
            del self._waiters[waiter.job]

    def end(self) -> None:
        """The desk is about to end: wake all who wait."""
        self.ending = True
        self._wake_all()

    def close(self) -> None:
        """It ends now."""
        self.ending = self.closed = True
        self._wake_all()

    def _wake_all(self) -> None:
        for those in self._waiters.values():
            for waiter in those:
                waiter.again()

    def poke(self, jobs: Iterable[str]) -> None:
        """These may have changed. O(jobs)."""
        self._asked.update(job for job in jobs if job in self._waiters)
        if self._asked:
            self._poked.set()

    async def run(self) -> None:
        """Look for ever: at what was poked soon, at all every now and then, and not at all while nobody waits."""
        while True:
            await self._pause()
            if self.clock.now() < self._due:
                asked, self._asked = self._asked, set()
                await self._look(tuple(asked))
            else:
                await self._look_at_all()
            await self.clock.sleep(AWAY_US if self._away else SOON_US)

    async def _pause(self) -> None:
        """Until somebody is poked, or it is time."""
        self._poked.clear()
        while not self._asked and (not self._waits or self.clock.now() < self._due):
            timer = self.clock.call_at(self._due, self._poked.set) if self._waits else None
            await self._poked.wait()
            self._poked.clear()
            if timer is not None:
                timer.cancel()

    async def _look_at_all(self) -> None:
        began = self.clock.now()
        self._asked.clear()
        every = iter(tuple(self._waiters))
        while piece := tuple(islice(every, _PIECE)):
            await self._look(piece)
        now = self.clock.now()
        self._due = now + max(LOOK_US, (now - began) * _SHARE)

    async def _look(self, jobs: Sequence[str]) -> None:
        """Tell those who wait for these what has changed."""
        try:
            standing = await self._desk.call_long(self._desk.rows.standing, jobs)
        except (SQLAlchemyError, Unavailable) as error:
            if not self._away:
                self._desk.log.warning("nobody can see how jobs stand", problem=str(error))
            self._away = True
            return
        self._away = False
        for job in jobs:
            now = standing.get(job, GONE)
            for waiter in tuple(self._waiters.get(job, ())):
                waiter.told(now)


def _over(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
