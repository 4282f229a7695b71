"""What a receiver is told: which job or batch ended and how. No question, no answer, no secret."""

from typing import Final

import msgspec

from tidegate.jobs.desk.moments import shown
from tidegate.jobs.records import Job

_encode: Final = msgspec.json.Encoder().encode


class Usage(msgspec.Struct, frozen=True):
    """What the answer says that it took."""

    prompt_tokens: int
    completion_tokens: int


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has ended. `reason` is its word only: what else was said may repeat what was asked."""

    id: str
    object: str = "job"
    state: str
    reason: str | None
    path: str
    model: str
    tags: tuple[str, ...]
    batch: str | None
    custom_id: str | None
    attempts: int
    status: int | None
    usage: Usage | None
    created_at: str | None
    finished_at: str | None
    url: str
    result: str | None  # where the answer is, if there is one


class Event(msgspec.Struct, frozen=True):
    """The body of a webhook, in the layout of Standard Webhooks."""

    type: str
    timestamp: str | None
    data: object


def body(kind: str, finished_us: int, data: object) -> bytes:
    """The JSON of an event. `data`: whatever msgspec encodes."""
    return _encode(Event(kind, shown(finished_us), data))


def job_body(job: Job) -> bytes:
    """The JSON of a job's end."""
    where = f"/v1/jobs/{job.id}"
    data = Data(
        id=job.id,
        state=job.state,
        reason=job.reason.partition(":")[0] or None,
        path=job.path.partition("?")[0],
        model=job.model,
        tags=job.tags,
        batch=job.batch or None,
        custom_id=job.custom_id or None,
        attempts=job.attempts,
        status=job.status or None,
        usage=Usage(job.prompt_tokens, job.completion_tokens) if job.status else None,
        created_at=shown(job.created_us),
        finished_at=shown(job.finished_us),
        url=where,
        result=f"{where}/result" if job.status else None,
    )
    return body(f"job.{job.state}", job.finished_us, data)
