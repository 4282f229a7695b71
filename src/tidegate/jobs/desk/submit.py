"""From what is asked to a job in the rows, once for each key."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from tidegate.jobs.desk import ids
from tidegate.jobs.desk.caller import check_model
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.desk.gather import Gather
from tidegate.jobs.records import Job, NewJob
from tidegate.model.handed import Requester
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


async def submit(gather: Gather, caller: Requester, make: Callable[[str, int], NewJob]) -> Accepted:
    """Have a job made, or find the one that its key made before. Raises `Refused`.

    `make` is given the job's id and the moment (wall clock).
    """
    desk = gather.desk
    wall = desk.clock.wall()
    new = make(ids.new_id(ids.JOB, wall), wall)
    check_model(caller, new.model)
    _check_backend(desk, new.backend)
    told = await gather.submit(new)
    if told.conflict:
        message = "This Idempotency-Key was used for another request. Send a new key, or the same request."
        raise Refused(Fault.KEY_REUSED, message, "idempotency-key")
    if told.full:
        most = desk.settings.max_queued
        message = f"There are {most} jobs already that have not ended. Wait for some of them, or cancel some."
        raise Refused(Fault.FULL, message, retry_after_us=_FULL_AGAIN_US)
    return Accepted(await _known(desk, told.id), again=True) if told.again else Accepted(_made(new, wall))


async def _known(desk: Desk, job: str) -> Job:
    found = await desk.call(desk.rows.find, job)
    if found is None:
        raise Unavailable("The job that this Idempotency-Key made was just deleted. Send the request again.")
    return found


def _made(new: NewJob, wall: int) -> Job:
    """As the rows have it now."""
    return Job(
        id=new.id,
        owner=new.owner,
        path=new.path,
        model=new.model,
        backend=new.backend,
        priority=new.priority,
        not_before_us=new.not_before_us,
        deadline_us=new.deadline_us,
        created_us=wall,
        tags=new.tags,
        webhook=new.webhook,
        stream=new.stream,
        version=1,
    )


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
