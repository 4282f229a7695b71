"""`/v1/jobs`: jobs taken, shown, listed, cancelled, and their answers handed out."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.jobs.desk import answers, asks, calls, listing
from tidegate.jobs.desk.bodies import read
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.gather import Gather
from tidegate.jobs.desk.held import later
from tidegate.jobs.desk.progress import Progress, ResultReply
from tidegate.jobs.desk.replies import json_reply, pairs
from tidegate.jobs.desk.submit import REPLAYED, digest, once_of, submit
from tidegate.jobs.desk.views import deliveries_view, full_view, job_view, list_view
from tidegate.jobs.desk.watch import Watch
from tidegate.jobs.faces import Rows
from tidegate.jobs.hooks.log import deliveries
from tidegate.jobs.records import Attempt, Job, NewJob, Owner
from tidegate.model.handed import Requester
from tidegate.model.jobs import CANCELLED, ENDS

_AROUND: Final = 65_536  # bytes of a request for a job beside the call itself


class Api:
    """The routes, each a method."""

    __slots__ = ("_desk", "_gather", "_watch")

    def __init__(self, gather: Gather, watch: Watch) -> None:
        self._desk = gather.desk
        self._gather = gather
        self._watch = watch

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/v1/jobs", self.submit, methods=["POST"]),
            Route("/v1/jobs", self.list, methods=["GET"]),
            Route("/v1/jobs/{job}", self.show, methods=["GET"]),
            Route("/v1/jobs/{job}", self.cancel, methods=["DELETE"]),
            Route("/v1/jobs/{job}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/jobs/{job}/result", self.result, methods=["GET"]),
            Route("/v1/jobs/{job}/events", self.events, methods=["GET"]),
            Route("/v1/jobs/{job}/deliveries", self.deliveries, methods=["GET"]),
        ]

    async def submit(self, request: Request) -> Response:
        """A job is taken: 202, or 200 where its key has made it before."""
        desk, caller = self._desk, caller_of(request)
        data = await read(request, desk.max_body_bytes + _AROUND)
        ask = asks.read(data, desk.settings, desk.clock.wall())
        accepted = await submit(self._gather, caller, partial(_new_job, desk, request, caller, ask, data))
        if not accepted.again:
            return later(accepted)
        reply = json_reply(job_view(accepted.job))
        reply.raw_headers.extend(pairs(answers.head_of(accepted.job.id, where=True) + REPLAYED))
        return reply

    async def list(self, request: Request) -> Response:
        """The newest first."""
        which = listing.filter_of(request.query_params, owner_of(caller_of(request)))
        return json_reply(list_view(await self._desk.call(self._desk.rows.listed, which), which.limit - 1))

    async def show(self, request: Request) -> Response:
        """One, with its attempts."""
        job = request.path_params["job"]
        found, attempts = await self._desk.call(_shown, self._desk.rows, job, owner_of(caller_of(request)))
        if found is None:
            raise answers.forgotten(job)
        return json_reply(full_view(found, attempts))

    async def cancel(self, request: Request) -> Response:
        """At once where nobody runs it, else as soon as its runner hears of it."""
        desk, job, owner = self._desk, request.path_params["job"], owner_of(caller_of(request))
        found = await desk.call(desk.rows.cancel, job, owner, desk.clock.wall())
        if found is None:
            raise answers.forgotten(job)
        if found.state in ENDS and found.state != CANCELLED:
            message = f"The job {found.id} has ended already ({found.state}), so that there is nothing to cancel."
            raise Refused(Fault.CONFLICT, message)
        desk.hints.changed([found.id])
        self._watch.poke([found.id])
        return json_reply(job_view(found))

    async def result(self, request: Request) -> Response:
        """Its answer, as the gate gave it; 202 while there is none. `?wait=` so many seconds for it."""
        wait_us = listing.wait_us(request.query_params)
        return ResultReply(self._desk, self._watch, await self._found(request), wait_us)

    async def events(self, request: Request) -> Response:
        """How it goes on, until its end."""
        return Progress(self._desk, self._watch, await self._found(request))

    async def deliveries(self, request: Request) -> Response:
        """The attempts at telling its webhook of its end."""
        job = await self._found(request)
        return json_reply(deliveries_view(await self._desk.call(deliveries, self._desk.rows, job.id)))

    async def _found(self, request: Request) -> Job:
        job = request.path_params["job"]
        found = await self._desk.call(self._desk.rows.find, job, owner_of(caller_of(request)))
        if found is None:
            raise answers.forgotten(job)
        return found


def _shown(rows: Rows, job: str, owner: Owner) -> tuple[Job | None, list[Attempt]]:
    """In a thread."""
    found = rows.find(job, owner)
    return found, [] if found is None else rows.attempts(job)


def _new_job(
    desk: Desk, request: Request, caller: Requester, ask: asks.Ask, data: bytes, job: str, _wall: int
) -> NewJob:
    headers, tags = request.scope["headers"], ask.tags or caller.tags
    return NewJob(
        id=job,
        owner=owner_of(caller),
        path=ask.path,
        body=calls.whole(ask.body, ask.shape),
        headers=calls.lines_of_job(headers) + calls.tag_line(tags),
        model=ask.shape.model,
        backend=desk.backend_of(ask.shape.model),
        priority=ask.priority,
        not_before_us=ask.not_before_us,
        deadline_us=ask.deadline_us,
        tags=tags,
        webhook=ask.webhook,
        once=once_of(headers),
        digest=digest("/v1/jobs", data),
        stream=ask.shape.stream,
    )
