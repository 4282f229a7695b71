"""What came of a job as an HTTP reply: the gate's own answer, or why there is none."""

from typing import Final

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.replies import pairs
from tidegate.jobs.desk.views import location
from tidegate.jobs.records import Job
from tidegate.jobs.rows.reading import Answer
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED

PIECE: Final = 262_144  # bytes: a longer body is read as its client takes it

Outcome = tuple[Job | None, Answer | None]

_DEADLINE: Final = "deadline"
# Framing of the connection that it came by; the reply that it stands in has its own.
_NOT_RETURNED: Final = frozenset(
    (b"connection", b"content-length", b"date", b"keep-alive", b"server", b"transfer-encoding")
)


def outcome(rows: JobRows, job: str) -> Outcome:
    """In a thread: the answer of a job that has ended, else the job, else nothing."""
    answer = rows.answer(job, PIECE)
    return (rows.find(job) if answer is None else None), answer


def answer_of(told: Outcome, fault: Fault | None = None) -> Answer:
    """The answer. Raises `Refused` where there is none: with this fault, else as its end has it."""
    job, answer = told
    if answer is not None:
        return answer
    if job is None:
        raise forgotten("")
    raise unanswered(job, fault)


def head_of(job: str, *, where: bool = False) -> bytes:
    """The header lines that name a job, and where it is."""
    named = f"x-tidegate-job: {job}\r\n"
    return f"{named}location: {location(job)}\r\n".encode() if where else named.encode()


def lines_of(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The header lines of an answer for whoever gets it now."""
    return [(name, value) for name, value in pairs(answer.head) if name not in _NOT_RETURNED]


def unanswered(job: Job, fault: Fault | None = None) -> Refused:
    """Why an ended job has no answer."""
    head = head_of(job.id, where=True)
    if job.state == CANCELLED:
        return Refused(fault or Fault.CONFLICT, f"The job {job.id} was cancelled, and has no answer.", head=head)
    reason = job.reason or "unknown"
    usual = Fault.DEADLINE if reason.partition(":")[0] == _DEADLINE else Fault.UPSTREAM
    return Refused(fault or usual, f"The job {job.id} has no answer ({reason}).", head=head)


def forgotten(job: str) -> Refused:
    """There is no such job, or none that is any business of who asks."""
    return Refused(Fault.NOT_FOUND, f"There is no job '{job[:64]}' here. GET /v1/jobs lists those that there are.")
