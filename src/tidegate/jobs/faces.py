"""The faces between the rooms of jobs."""

from collections.abc import Mapping, Sequence
from typing import Protocol

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


class Rows(Protocol):
    """The truth. Synchronous: for threads. Each method is one transaction, safe from any number of processes.

    Raises `sqlalchemy.exc.SQLAlchemyError` where the database does not do its work; nothing was changed then.
    """

    def submit(self, jobs: Sequence[NewJob], wall: int) -> list[Submitted]:
        """Accept them, or what an earlier one with the same key came to. All or nothing but for `conflict`, `full`."""

    def find(self, job: str, owner: Owner | None = None) -> Job | None:
        """None: there is none, or it is none of `owner`'s."""

    def listed(self, which: Filter) -> list[Job]:
        """The newest first."""

    def body(self, job: str) -> bytes | None:
        """What it asks."""

    def result(self, job: str) -> Result | None:
        """What it was answered; None while it was not, or when it never was."""

    def attempts(self, job: str) -> list[Attempt]:
        """Each time that it was handed out, in order, but for those that count as no attempt and ended `queued` again.

        Bounded: attempts and crashes that it may have, and one. What those came to last is the job's `reason`.
        """

    def standing(self, jobs: Sequence[str]) -> dict[str, tuple[str, int]]:
        """State and version of each. For who waits."""

    def claim(
        self, backend: str, most: int, runner: str, lease_us: int, wall: int, *, share: bool = False
    ) -> list[Lease]:
        """Hand out what is due, in turn between tenants, within a tenant by priority, then by age.

        With `share`, `most` is what the runner has free, and no tenant takes so much that others find nothing free
        (`policy/jobs/shares.py`).
        """

    def lease(self, dispatch: Dispatch, runner: str, lease_us: int, wall: int) -> Lease | None:
        """Hand out this one. None: it runs, has ended, or was handed out since: its message is old."""

    def dispatch(self, backend: str, most: int, again_after_us: int, wall: int, places: int = 0) -> list[Dispatch]:
        """What is due and not at the broker, or was given to it so long ago that it may be lost. Order as `claim`.

        `most` bounds what is at the broker in all, so that the rows and not the broker say who is next. `places` that
        its runners have are shared as `claim` does; 0: nobody knows how many there are.
        """

    def undispatch(self, jobs: Sequence[str]) -> None:
        """The broker did not take them."""

    def renew(self, held: Mapping[str, int], lease_us: int, wall: int) -> dict[str, str]:
        """Hold on to these (id: fence); of those that changed: "lost" (it is another's now), or "cancel"."""

    def finish(self, ends: Sequence[End], wall: int) -> list[bool]:
        """False: its fence is old, and nothing of it counts."""

    def reap(self, max_crashes: int, wall: int) -> Reaped:
        """Take back what was leased too long ago, and bury what is too late. In bounded pieces."""

    def cancel(self, job: str, owner: Owner | None, wall: int) -> Job | None:
        """At once where nobody runs it, else its runner is told. An ended one stays as it is. None: as `find`."""

    def requeue(self, job: str, deadline_us: int, wall: int) -> Job | None:
        """An ended one without an answer begins anew, all forgiven; others stay as they are. None: no such job."""

    def depths(self) -> list[Depth]:
        """For metrics: what has not ended, by backend and state. O(backlog): not for each request."""

    def ended(self) -> list[Depth]:
        """For metrics: how many have ended so, ever (`jobs` only grows; `oldest_us` is 0)."""

    def forget(self, before_us: int, most: int) -> int:
        """Delete what ended before then and is of no batch; how many. In bounded pieces."""

    def secret(self) -> bytes:
        """32 bytes that tickets are signed with: made once for a database."""


class Backend(Protocol):
    """What carries jobs to those who run them."""

    @property
    def name(self) -> str:
        """As it is told: no credentials."""

    def publish(self, sent: Sequence[Dispatch]) -> None:
        """Give them to the broker; returns when it has confirmed all. Raises `BackendDown`. Blocks: for a thread."""

    def close(self) -> None:
        """Let go of connections."""


class BackendDown(Exception):
    """The broker cannot be reached or does not confirm; the message says which and why, without credentials."""


class Hints(Protocol):
    """Pokes between processes of one machine. They may be lost: who is poked also looks by itself."""

    def work(self) -> None:
        """There is something to claim or dispatch."""

    def changed(self, jobs: Sequence[str]) -> None:
        """These have another state."""
