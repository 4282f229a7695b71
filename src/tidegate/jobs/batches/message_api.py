"""Anthropic's Message Batches API."""

import asyncio
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tidegate.jobs.batches import queries, shapes, spool
from tidegate.jobs.batches.archive import Archive, disk
from tidegate.jobs.batches.asked import Asked
from tidegate.jobs.batches.batch_api import full
from tidegate.jobs.batches.calling import with_headers
from tidegate.jobs.batches.folder import Part
from tidegate.jobs.batches.progress import Progress
from tidegate.jobs.batches.records import (
    ANTHROPIC,
    IN_PROGRESS,
    MOST_BATCHES,
    OPEN,
    REQUESTS,
    WINDOW_US,
    Batch,
    StoredFile,
    Tally,
)
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.ids import new_id
from tidegate.jobs.desk.replies import json_reply
from tidegate.model.handed import Requester

_ID: Final = "msgbatch_"
_NOUN: Final = "message batch"
_FILE: Final = "file-"
_PATH: Final = "/v1/messages"
_MOST_LISTED: Final = 1_000
_GATHERED: Final = 1_048_576


class MessageApi:
    """The routes."""

    __slots__ = ("_archive", "_asked", "_progress", "_spooling")

    def __init__(self, archive: Archive, progress: Progress) -> None:
        self._archive = archive
        self._asked = Asked(archive, ANTHROPIC, _NOUN)
        self._progress = progress
        self._spooling = asyncio.Lock()  # a request may be large when it is read: one at a time

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/v1/messages/batches", self.create, methods=["POST"]),
            Route("/v1/messages/batches", self.listed, methods=["GET"]),
            Route("/v1/messages/batches/{batch}", self.one, methods=["GET"]),
            Route("/v1/messages/batches/{batch}", self.delete, methods=["DELETE"]),
            Route("/v1/messages/batches/{batch}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/messages/batches/{batch}/results", self.results, methods=["GET"]),
            Route("/v1/messages/batches/{batch}/events", self.events, methods=["GET"]),
            Route("/v1/messages/batches/{batch}/deliveries", self._asked.deliveries, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """The body goes to disk as it comes, and from there line by line to the file that is fed."""
        caller = caller_of(request)
        if queries.length(request) > spool.MOST_BYTES:
            raise _too_large()
        await self._archive.room(owner_of(caller), queries.length(request))
        with disk():
            batch = await self._taken(request, caller)
        return json_reply(self._told(request, batch, batch.tally))

    async def _taken(self, request: Request, caller: Requester) -> Batch:
        """On disk and in the rows when this returns. Where the database does not say, its file is swept or used."""
        desk, folder = self._archive.desk, self._archive.folder
        body = await desk.call_long(folder.part)
        try:
            await self._receive(request, body)
            async with self._spooling:
                batch, file, lines = await desk.call_long(self._spooled, body, caller)
        finally:
            await desk.call_long(body.drop)
        try:
            await desk.call_long(lines.keep, file.id)
        except BaseException:
            await desk.call_long(lines.drop)
            raise
        batch = with_headers(batch, request, caller.tags)
        if not await desk.call(self._archive.book.add, batch, MOST_BATCHES, [file]):
            await desk.call_long(folder.delete, [file.id])
            raise full()
        return batch

    async def _receive(self, request: Request, body: Part) -> None:
        desk = self._archive.desk
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if body.size + size > spool.MOST_BYTES:
                raise _too_large()
            if size >= _GATHERED:
                await desk.call_long(body.write, b"".join(pieces))
                pieces, size = [], 0
        await desk.call_long(body.write, b"".join(pieces))

    def _spooled(self, body: Part, caller: Requester) -> tuple[Batch, StoredFile, Part]:
        """In a thread: the requests as lines."""
        desk, folder = self._archive.desk, self._archive.folder
        lines = folder.part()
        try:
            most = min(spool.MOST_REQUESTS, desk.settings.max_batch_lines)
            asked = spool.unrolled(body.read(), lines, most)
            webhook = queries.webhook(asked.webhook, desk.settings)
        except BaseException:
            lines.drop()
            raise
        wall = desk.clock.wall()
        batch = Batch(
            id=new_id(_ID, wall),
            kind=ANTHROPIC,
            owner=owner_of(caller),
            endpoint=_PATH,
            input_file=new_id(_FILE, wall),
            place=folder.place,
            state=IN_PROGRESS,
            created_us=wall,
            expires_us=wall + WINDOW_US,
            in_progress_us=wall,
            model=asked.model[:128],
            webhook=webhook,
            total=asked.total,
            tally=Tally(asked.total),
            version=1,
        )
        file = StoredFile(
            id=batch.input_file,
            owner=owner_of(caller),
            purpose=REQUESTS,
            filename=f"{batch.id}.jsonl",
            size=lines.size,
            place=folder.place,
            created_us=wall,
            expires_us=wall + desk.settings.keep_us,
            batch=batch.id,
        )
        return batch, file, lines

    async def listed(self, request: Request) -> Response:
        """A page of them, the newest first."""
        limit = queries.number(request, "limit", 20, 1, _MOST_LISTED)
        after, before = request.query_params.get("after_id", ""), request.query_params.get("before_id", "")
        if after and before:
            raise Refused(Fault.BAD_REQUEST, "before_id: send it or after_id, not both.", "before_id")
        ask = partial(self._archive.book.listed, after=after, before=before)
        found = await self._archive.desk.call(ask, ANTHROPIC, owner_of(caller_of(request)), limit + 1)
        more = len(found) > limit
        kept = found[-limit:] if before else found[:limit]
        told = queries.page([self._told(request, one, quiet(one)) for one in kept], limit, named=False)
        return json_reply(told | {"has_more": more})

    async def one(self, request: Request) -> Response:
        """How one stands."""
        batch = await self._asked.found(request)
        return json_reply(self._told(request, batch, quiet(batch)))

    async def cancel(self, request: Request) -> Response:
        """What has not run will not; one that has ended is refused."""
        batch = await self._asked.cancelled(request)
        if batch.state not in OPEN:
            raise Refused(Fault.CONFLICT, f"The batch {batch.id} has ended: it cannot be cancelled any more.")
        return json_reply(self._told(request, batch, quiet(batch)))

    async def delete(self, request: Request) -> Response:
        """One that has ended is forgotten with its results."""
        batch = await self._asked.found(request)
        if batch.state in OPEN:
            raise Refused(Fault.CONFLICT, f"The batch {batch.id} has not ended. Cancel it first.")
        names = await self._archive.desk.call(self._archive.book.forget, batch)
        if names is None:
            raise queries.not_found(_NOUN, batch.id)
        if batch.place == self._archive.folder.place:
            await self._archive.desk.call_long(self._archive.folder.delete, names)
        return json_reply({"id": batch.id, "type": "message_batch_deleted"})

    async def results(self, request: Request) -> Response:
        """A line for each request, from disk as the client reads them."""
        batch = await self._asked.found(request)
        if batch.state in OPEN or not batch.output_file:
            raise Refused(Fault.NOT_FOUND, f"The batch {batch.id} has no results yet: it has not ended.")
        folder = self._archive.folder
        path = folder.path / batch.output_file
        if not await self._archive.desk.call_long(path.is_file):
            raise Refused(Fault.NOT_FOUND, f"The results of {batch.id} are not kept any more, or by another gate.")
        return FileResponse(path, media_type="application/x-jsonl")

    async def events(self, request: Request) -> Response:
        """Its counts as they change, also before it has ended."""
        await self._asked.found(request)
        return self._progress.reply(partial(self._asked.look, request), partial(self._told, request))

    def _told(self, request: Request, batch: Batch, tally: Tally) -> dict[str, object]:
        return shapes.message_batch(batch, tally, _base(request, tls=self._archive.desk.tls))


def quiet(batch: Batch) -> Tally:
    """As Anthropic counts: all are processing until all have ended."""
    return Tally(batch.total) if batch.state in OPEN else batch.tally


def _too_large() -> Refused:
    return Refused(Fault.TOO_LARGE, f"The body has more than {spool.MOST_BYTES} bytes. Split the batch.")


def _base(request: Request, *, tls: bool) -> str:
    """What the client called, as far as the gate was told; "" = a path alone, which SDKs put behind their base URL."""
    host = request.headers.get("host", "")
    if not host or not all(letter.isalnum() or letter in "-._:[]" for letter in host) or not host.isascii():
        return ""
    scheme = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return f"{'https' if tls or scheme == 'https' else 'http'}://{host}"
