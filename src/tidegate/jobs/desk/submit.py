"""From what is asked to a job in the rows, once for each key."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from tidegate.jobs.desk import ids
from tidegate.jobs.desk.caller import Caller
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.faces import Rows
from tidegate.jobs.records import Job, NewJob, Submitted
from tidegate.model.jobs import shown

KEY: Final = b"idempotency-key"
MOST_KEY: Final = 255
REPLAYED: Final = b"idempotent-replayed: true\r\n"
_FULL_AGAIN_US: Final = 60_000_000
_DOWN_AGAIN_US: Final = 10_000_000


class Accepted(msgspec.Struct, frozen=True):
    """A job that there is now. `again`: it was there before, under the same key."""

    job: Job
    again: bool = False


def once_of(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The request's `Idempotency-Key`, b"" = none. Raises `Refused`."""
    told = [value for name, value in headers if name == KEY]
    if not told:
        return b""
    if len(told) > 1 or not 0 < len(told[0]) <= MOST_KEY:
        message = f"Invalid Idempotency-Key: send one, of 1 to {MOST_KEY} characters."
        raise Refused(Fault.BAD_REQUEST, message, "idempotency-key")
    return told[0]


def digest(path: str, body: bytes) -> bytes:
    """What a request asks for. O(bytes)."""
    return blake2b(b"%d:%b%b" % (len(path), path.encode(), body), digest_size=16).digest()


async def submit(desk: Desk, caller: Caller, make: Callable[[str, int], NewJob]) -> Accepted:
    """Have a job made, or find the one that its key made before. Raises `Refused`.

    `make` is given the job's id and the moment (wall clock).
    """
    wall = desk.clock.wall()
    new = make(ids.new_id(ids.JOB, wall), wall)
    caller.check(new.model)
    _check_backend(desk, new.backend)
    outcome, job = await desk.call(_submitted, desk.rows, new, wall)
    if outcome.conflict:
        message = "This Idempotency-Key was used for another request. Send a new key, or the same request."
        raise Refused(Fault.KEY_REUSED, message, "idempotency-key")
    if outcome.full:
        most = desk.settings.max_queued
        message = f"There are {most} jobs already that have not ended. Wait for some of them, or cancel some."
        raise Refused(Fault.FULL, message, retry_after_us=_FULL_AGAIN_US)
    if job is None:
        raise Unavailable("The job that this Idempotency-Key made was just deleted. Send the request again.")
    if not outcome.again:
        desk.hints.work()
    return Accepted(job, outcome.again)


def _submitted(rows: Rows, new: NewJob, wall: int) -> tuple[Submitted, Job | None]:
    """In a thread: what became of it, and how it stands."""
    (outcome,) = rows.submit([new], wall)
    made = not outcome.conflict and not outcome.full
    return outcome, rows.find(outcome.id) if made else None


def _check_backend(desk: Desk, backend: str) -> None:
    """A broker that is away refuses new jobs, where the operator wants that; else they wait in the rows."""
    if desk.settings.on_backend_failure != "refuse":
        return
    why = desk.down(backend)
    if why:
        message = (
            f"The queue {shown(backend)} cannot be reached, and no job is taken for it meanwhile. Try again later."
        )
        raise Unavailable(message, _DOWN_AGAIN_US)
