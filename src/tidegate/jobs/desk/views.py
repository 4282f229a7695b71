"""Jobs as the API shows them."""

from collections.abc import Sequence

import msgspec

from tidegate.jobs.desk.moments import shown
from tidegate.jobs.hooks.records import Delivery
from tidegate.jobs.records import Attempt, Job
from tidegate.model import jobs as words

PREFIX = "/v1/jobs/"


class UsageView(msgspec.Struct, frozen=True):
    """What its answer says that it took."""

    prompt_tokens: int
    completion_tokens: int


class AttemptView(msgspec.Struct, frozen=True):
    """One time that it was handed out. `call_id` is its id in the gate's ledger."""

    attempt: int
    outcome: str
    reason: str | None
    began_at: str | None
    ended_at: str | None
    status: int | None
    call_id: str | None


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job; null = not (yet) known."""

    id: str
    object: str = "job"
    state: str
    reason: str | None
    path: str
    model: str
    backend: str
    priority: int
    tags: tuple[str, ...]
    created_at: str | None
    not_before: str | None
    deadline: str | None
    started_at: str | None
    finished_at: str | None
    attempts: int
    crashes: int
    cancelling: bool
    status: int | None  # of its answer
    usage: UsageView | None
    webhook: str | None
    batch: str | None
    line: int | None
    custom_id: str | None
    result: str | None  # where it is, once there is one


class FullJobView(JobView, frozen=True, kw_only=True):
    """A job with each time that it was handed out."""

    history: list[AttemptView]


class DeliveryView(msgspec.Struct, frozen=True):
    """One attempt at telling a webhook."""

    attempt: int
    at: str | None
    took_ms: int
    status: int | None  # null: there was no answer
    error: str | None


class DeliveriesView(msgspec.Struct, frozen=True, kw_only=True):
    """The latest of them, in order."""

    object: str = "list"
    data: list[DeliveryView]


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of jobs; `last_id` is the next page's `after`."""

    object: str = "list"
    data: list[JobView]
    first_id: str | None
    last_id: str | None
    has_more: bool


def location(job: str) -> str:
    """Where a job is."""
    return PREFIX + job


def job_view(job: Job) -> JobView:
    """Without its attempts."""
    return JobView(
        id=job.id,
        state=job.state,
        reason=job.reason or None,
        path=job.path,
        model=job.model,
        backend=words.shown(job.backend),
        priority=job.priority,
        tags=job.tags,
        created_at=shown(job.created_us),
        not_before=shown(job.not_before_us),
        deadline=shown(job.deadline_us),
        started_at=shown(job.started_us),
        finished_at=shown(job.finished_us),
        attempts=job.attempts,
        crashes=job.crashes,
        cancelling=job.cancelling,
        status=job.status or None,
        usage=UsageView(job.prompt_tokens, job.completion_tokens) if job.prompt_tokens else None,
        webhook=job.webhook or None,
        batch=job.batch or None,
        line=job.line or None,
        custom_id=job.custom_id or None,
        result=f"{location(job.id)}/result" if job.status else None,
    )


def full_view(job: Job, attempts: Sequence[Attempt]) -> FullJobView:
    """With them."""
    return FullJobView(**msgspec.structs.asdict(job_view(job)), history=[attempt_view(one) for one in attempts])


def attempt_view(attempt: Attempt) -> AttemptView:
    """One of them."""
    return AttemptView(
        attempt.fence,
        attempt.outcome,
        attempt.reason or None,
        shown(attempt.began_us),
        shown(attempt.ended_us),
        attempt.status or None,
        attempt.call_id or None,
    )


def deliveries_view(deliveries: Sequence[Delivery]) -> DeliveriesView:
    """All of them."""
    return DeliveriesView(
        data=[
            DeliveryView(one.attempt, shown(one.at_us), one.took_us // 1_000, one.status or None, one.error or None)
            for one in deliveries
        ]
    )


def list_view(jobs: Sequence[Job], limit: int) -> ListView:
    """Of one more than `limit`, where there are more."""
    page = [job_view(job) for job in jobs[:limit]]
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return ListView(data=page, first_id=first, last_id=last, has_more=len(jobs) > limit)
