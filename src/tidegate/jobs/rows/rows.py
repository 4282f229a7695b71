"""The truth of jobs, as `faces.Rows`: each method one transaction, safe from any number of processes."""

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from tidegate.jobs.records import (
    Attempt,
    Depth,
    Dispatch,
    End,
    Filter,
    Job,
    Lease,
    NewJob,
    Owner,
    Reaped,
    Result,
    Submitted,
)
from tidegate.jobs.rows import ending, handing, leaving, looking, reading, submitting, turns
from tidegate.jobs.rows.names import backend_name
from tidegate.jobs.rows.statement import Statement
from tidegate.store.engine import writing

_MAX_QUEUED = 1_000_000
_PIECES = 10  # of one `reap`
_SECRET = Statement("SELECT secret FROM job_secrets WHERE name = 'ticket'")
_MAKE = Statement("INSERT INTO job_secrets (name, secret) VALUES ('ticket', :secret) ON CONFLICT DO NOTHING")


class JobRows:
    """Jobs in a database. `engine` is open to those who have tables of their own beside; see `open_rows`.

    Backends are known by their names: URLs without credentials, "" = the embedded one.
    """

    __slots__ = ("engine", "max_queued")

    def __init__(self, engine: Engine, max_queued: int = _MAX_QUEUED) -> None:
        self.engine = engine
        self.max_queued = max_queued  # of one tenant, not ended; may be set anew

    def submit(self, jobs: Sequence[NewJob], wall: int) -> list[Submitted]:
        """As `Rows.submit`; who submits an id again is told `again`. O(jobs · log n), some 500 at once are best."""
        try:
            return self._submit(jobs, wall, careful=False)
        except IntegrityError:
            return self._submit(jobs, wall, careful=True)

    def _submit(self, jobs: Sequence[NewJob], wall: int, *, careful: bool) -> list[Submitted]:
        with writing(self.engine) as connection:
            return submitting.submit(connection, jobs, self.max_queued, wall, careful=careful)

    def find(self, job: str, owner: Owner | None = None) -> Job | None:
        with self.engine.connect() as connection:
            return looking.find(connection, job, owner)

    def listed(self, which: Filter) -> list[Job]:
        with self.engine.connect() as connection:
            return looking.listed(connection, which)

    def body(self, job: str) -> bytes | None:
        with self.engine.connect() as connection:
            return looking.body(connection, job)

    def result(self, job: str) -> Result | None:
        with self.engine.connect() as connection:
            return looking.result(connection, job)

    def answer(self, job: str, most: int) -> reading.Answer | None:
        """As `result`, without a body that is longer than so many bytes."""
        with self.engine.connect() as connection:
            return reading.answer(connection, job, most)

    def answer_piece(self, number: int, start: int, most: int) -> bytes:
        """So many bytes of the body of the answer of this number; none at its end, or where it is deleted."""
        with self.engine.connect() as connection:
            return reading.piece(connection, number, start, most)

    def attempts(self, job: str) -> list[Attempt]:
        with self.engine.connect() as connection:
            return looking.attempts(connection, job)

    def standing(self, jobs: Sequence[str]) -> dict[str, tuple[str, int]]:
        with self.engine.connect() as connection:
            return looking.standing(connection, jobs)

    def claim(
        self, backend: str, most: int, runner: str, lease_us: int, wall: int, *, share: bool = False
    ) -> list[Lease]:
        """As `Rows.claim`. O(most · log n), with `share` O(what runs) more; who finds nothing takes no lock."""
        name = backend_name(backend)
        seen = self._glance(name, wall)
        if most <= 0 or not any(seen):
            return []
        with writing(self.engine) as connection:
            if seen.ripe:
                turns.ripen(connection, wall)
            return handing.claim(connection, name, most, runner, wall + lease_us, wall, share=share)

    def _glance(self, backend: str, wall: int) -> turns.Glance:
        with self.engine.connect() as connection:
            return turns.glance(connection, backend, wall)

    def lease(self, dispatch: Dispatch, runner: str, lease_us: int, wall: int) -> Lease | None:
        return self.leases([dispatch], runner, lease_us, wall)[0]

    def leases(self, sent: Sequence[Dispatch], runner: str, lease_us: int, wall: int) -> list[Lease | None]:
        """As `lease` for several messages, in one transaction."""
        if not sent:
            return []
        with writing(self.engine) as connection:
            return handing.lease(connection, sent, runner, wall + lease_us, wall)

    def dispatch(self, backend: str, most: int, again_after_us: int, wall: int, places: int = 0) -> list[Dispatch]:
        """As `Rows.dispatch`. O(most · log n), with `places` O(what runs) more.

        Of two who ask at the same time one is told nothing.
        """
        with writing(self.engine) as connection:
            turns.ripen(connection, wall)
            return handing.dispatch(connection, backend_name(backend), most, again_after_us, wall, places)

    def undispatch(self, jobs: Sequence[str]) -> None:
        if not jobs:
            return
        with writing(self.engine) as connection:
            handing.undispatch(connection, jobs)

    def renew(self, held: Mapping[str, int], lease_us: int, wall: int) -> dict[str, str]:
        if not held:
            return {}
        with writing(self.engine) as connection:
            return handing.renew(connection, held, wall + lease_us)

    def finish(self, ends: Sequence[End], wall: int) -> list[bool]:
        if not ends:
            return []
        with writing(self.engine) as connection:
            return ending.finish(connection, ends, wall)

    def reap(self, max_crashes: int, wall: int) -> Reaped:
        """As `Rows.reap`: some pieces of 500, each a transaction. What is more, the next call finds."""
        again: tuple[str, ...] = ()
        dead: tuple[str, ...] = ()
        for _ in range(_PIECES):
            with writing(self.engine) as connection:
                found = ending.reap(connection, max_crashes, wall)
            again, dead = again + found.again, dead + found.dead
            if len(found.again) + len(found.dead) < ending.PIECE:
                break
        return Reaped(again, dead)

    def cancel(self, job: str, owner: Owner | None, wall: int) -> Job | None:
        with writing(self.engine) as connection:
            there = ending.cancel(connection, job, owner, wall)
            return looking.find(connection, job, None) if there else None

    def cancel_batch(self, batch: str, wall: int) -> list[str]:
        """As `cancel` for some 500 jobs of a batch that have not ended; their ids. None left: an empty list."""
        with writing(self.engine) as connection:
            return ending.cancel_batch(connection, batch, wall)

    def leave(self, namespace: str, wall: int) -> None:
        """A namespace is no more: its jobs and batches are cancelled, and they and its files are nobody's.

        In pieces of 2,000 jobs, each a transaction; until the last one some are still its own. May be done again.
        """
        after, more = 0, True
        while more:
            with writing(self.engine) as connection:
                after = leaving.leave(connection, namespace, wall, after)
            more = after > 0

    def requeue(self, job: str, deadline_us: int, wall: int) -> Job | None:
        with writing(self.engine) as connection:
            there = ending.requeue(connection, job, deadline_us)
            return looking.find(connection, job, None) if there else None

    def depths(self) -> list[Depth]:
        with self.engine.connect() as connection:
            return looking.depths(connection)

    def ended(self) -> list[Depth]:
        with self.engine.connect() as connection:
            return looking.ended(connection)

    def forget(self, before_us: int, most: int) -> int:
        """As `Rows.forget`. O(most · log n), at most 500 in one transaction."""
        gone = 0
        while gone < most:
            piece = min(ending.PIECE, most - gone)
            with writing(self.engine) as connection:
                found = ending.forget(connection, before_us, piece)
            gone += found
            if found < piece:
                break
        return gone

    def forget_batch(self, batch: str, most: int) -> int:
        """Delete some jobs of a batch that have ended; how many."""
        with writing(self.engine) as connection:
            return ending.forget_batch(connection, batch, most)

    def secret(self) -> bytes:
        with writing(self.engine) as connection:
            _MAKE.on(connection, secret=secrets.token_bytes(32))
            return bytes(_SECRET.on(connection).scalar_one())
