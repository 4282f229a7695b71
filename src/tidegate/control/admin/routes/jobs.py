"""`/jobs`: what patient work waits, runs and has ended; cancel it, or have it begin anew."""

from typing import Annotated

from fastapi import Path, Query

from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routes.spend import within
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.job import (
    AttemptView,
    DepthView,
    JobDetail,
    JobId,
    JobPage,
    JobsQuery,
    JobsSummary,
    JobView,
    Requeue,
)
from tidegate.jobs.hints import UnixHints
from tidegate.jobs.records import Attempt, Depth, Filter, Job, Owner
from tidegate.jobs.rows.leaving import GONE
from tidegate.model.jobs import DONE, ENDS, QUEUED, shown

ROUTER = router("jobs")
_Id = Annotated[JobId, Path()]


@ROUTER.get("/jobs", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def list_jobs(desk: Desk, who: Who, asked: Annotated[JobsQuery, Query()]) -> JobPage:
    """A page, the newest first."""
    which = Filter(
        owner=_whose(who, asked),
        client=asked.key or "",
        states=tuple(asked.state),
        model=asked.model or "",
        tag=asked.tag or "",
        batch=asked.batch or "",
        before=asked.before or "",
        limit=asked.limit + 1,
    )
    found = desk.jobs.listed(which)
    page = found[: asked.limit]
    more = page[-1].id if len(found) > asked.limit else None
    return JobPage(jobs=[JobView.model_validate(_fields(job)) for job in page], next=more)


@ROUTER.get("/jobs/summary", response_model_exclude_none=True)
@needs(Right.STATUS)
def summary(desk: Desk) -> JobsSummary:
    """What waits and runs on each queue, and how many have ended how."""
    rows = desk.jobs_if_any
    if rows is None:
        return JobsSummary(enabled=False, open=[], ended=[])
    open_ = [depth for depth in rows.depths() if depth.state not in ENDS]
    return JobsSummary(enabled=True, open=[_depth(one) for one in open_], ended=[_depth(one) for one in rows.ended()])


@ROUTER.get("/jobs/{job}", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def show_job(desk: Desk, who: Who, job: _Id) -> JobDetail:
    """One job with every time that it was handed out."""
    found = _known(desk, who, job)
    return JobDetail.model_validate({**_fields(found), "tried": [_attempt(one) for one in desk.jobs.attempts(job)]})


@ROUTER.post("/jobs/{job}/cancel", response_model_exclude_none=True)
@needs(Right.CHANGE_JOBS)
def cancel_job(desk: Desk, who: Who, job: _Id) -> JobView:
    """At once where nobody runs it; else its runner is told. It stands in the audit."""
    before = _known(desk, who, job)
    if before.state in ENDS:
        raise refused(409, "path.job", f"it has ended already: {before.state}", "nothing is left to cancel")
    entry = _asked(desk, who, "job.cancel", before)
    found = desk.jobs.cancel(job, None, desk.clocks.wall())
    return _told(desk, entry, before, found)


@ROUTER.post("/jobs/{job}/requeue", response_model_exclude_none=True)
@needs(Right.CHANGE_JOBS)
def requeue_job(desk: Desk, who: Who, job: _Id, said: Requeue) -> JobView:
    """Begin it anew, its attempts forgiven. It stands in the audit."""
    before = _known(desk, who, job)
    if before.state not in ENDS:
        raise refused(409, "path.job", f"it has not ended: it is {before.state}", "wait for it, or cancel it")
    if before.state == DONE:
        raise refused(409, "path.job", "it has been answered", "read its result; submit it again for another one")
    if before.owner.namespace.startswith(GONE):
        raise refused(409, "path.job", "its namespace is no more", "submit it again, with a key of another one")
    now, seconds = desk.clocks.wall(), said.deadline_seconds
    deadline_us = now + (desk.declaration.now.jobs.deadline_us if seconds is None else seconds * 1_000_000)
    entry = _asked(desk, who, "job.requeue", before)
    found = desk.jobs.requeue(job, deadline_us, now)
    if found is not None and found.state != QUEUED:
        desk.changes.complete(entry, job, {"outcome": "refused", "state": found.state})
        remedy = "its batch is over: submit its line again"
        raise refused(409, "path.job", f"it cannot begin anew: it is {found.state}", remedy)
    return _told(desk, entry, before, found)


def _known(desk: Office, who: Actor, job: str) -> Job:
    """Raises `Refused` where there is none, or none that who asks may know of."""
    found = desk.jobs.find(job)
    if found is None or not who.reaches(found.owner.namespace):
        raise absent("job", "job")
    return found


def _asked(desk: Office, who: Actor, action: str, before: Job) -> int:
    """In the audit before anything is done: jobs may be kept in another database. Returns the entry's number."""
    deed = Deed(action, before.owner.namespace, before.id, {"state": before.state}, {"outcome": "asked"})
    return desk.changes.intend(who, deed)


def _told(desk: Office, entry: int, before: Job, after: Job | None) -> JobView:
    """Write down what became of it, and poke those who look at jobs."""
    if after is None:
        desk.changes.complete(entry, before.id, {"outcome": "refused"})
        raise absent("job", "job")
    desk.changes.complete(entry, before.id, {"state": after.state})
    hints = UnixHints(desk.state_dir)
    hints.changed([after.id])
    hints.work()
    hints.close()
    return JobView.model_validate(_fields(after))


def _whose(who: Actor, asked: JobsQuery) -> Owner | None:
    """None: everybody's. An owner of a namespace sees its own."""
    namespace = within(who, asked.namespace).get("namespace")
    return None if namespace is None else Owner(namespace)


def _fields(job: Job) -> dict[str, object]:
    same = ("id", "path", "model", "state", "reason", "cancelling", "priority", "attempts", "crashes", "batch", "line",
            "custom_id", "status", "prompt_tokens", "completion_tokens")  # fmt: skip
    moments = ("created", "not_before", "started", "finished", "deadline")
    return {
        **{name: getattr(job, name) for name in same},
        **{name: as_moment(getattr(job, f"{name}_us")) for name in moments},
        "namespace": job.owner.namespace,
        "key": job.owner.client,
        "user": job.owner.user,
        "backend": shown(job.backend),
        "tags": list(job.tags),
    }


def _attempt(one: Attempt) -> AttemptView:
    return AttemptView(
        number=one.fence,
        runner=one.runner,
        began=as_moment(one.began_us),
        ended=as_moment(one.ended_us),
        outcome=one.outcome,
        reason=one.reason,
        status=one.status,
        call=one.call_id,
    )


def _depth(one: Depth) -> DepthView:
    return DepthView(backend=shown(one.backend), state=one.state, jobs=one.jobs, oldest=as_moment(one.oldest_us))
