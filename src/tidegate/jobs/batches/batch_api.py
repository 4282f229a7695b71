"""OpenAI's Batch API."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.jobs.batches import queries, shapes
from tidegate.jobs.batches.archive import Archive
from tidegate.jobs.batches.asked import Asked
from tidegate.jobs.batches.calling import with_headers
from tidegate.jobs.batches.progress import Progress
from tidegate.jobs.batches.records import BATCH, MOST_BATCHES, OPEN, OPENAI, WINDOW_US, Batch, StoredFile, Tally
from tidegate.jobs.desk import bodies, calls
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.ids import new_id
from tidegate.jobs.desk.replies import json_reply
from tidegate.jobs.records import Owner
from tidegate.model.call import Kind
from tidegate.model.jobs import JobSettings

_ID: Final = "batch_"
_MOST_BODY: Final = 65_536
_MOST_LISTED: Final = 100
_WINDOW: Final = "24h"
_ENDPOINTS: Final = tuple(path for path, kind in calls.KINDS.items() if kind is not Kind.MESSAGES)
_FIELDS: Final = ("input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after", "webhook")
_AGAIN_US: Final = 60_000_000


class BatchApi:
    """The routes."""

    __slots__ = ("_archive", "_asked", "_progress")

    def __init__(self, archive: Archive, progress: Progress) -> None:
        self._archive = archive
        self._asked = Asked(archive, OPENAI, "batch")
        self._progress = progress

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/v1/batches", self.create, methods=["POST"]),
            Route("/v1/batches", self.listed, methods=["GET"]),
            Route("/v1/batches/{batch}", self.one, methods=["GET"]),
            Route("/v1/batches/{batch}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/batches/{batch}/events", self.events, methods=["GET"]),
            Route("/v1/batches/{batch}/deliveries", self._asked.deliveries, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """A batch over a file that was uploaded."""
        desk, caller = self._archive.desk, caller_of(request)
        fields = queries.fields_of(await bodies.read(request, _MOST_BODY), _FIELDS)
        wall = desk.clock.wall()
        name = queries.text(fields, "input_file_id")
        file = await desk.call(self._archive.filing.find, name, owner_of(caller), wall)
        batch = _batch(fields, owner_of(caller), _readable(file, name), wall, desk.settings)
        batch = with_headers(batch, request, caller.tags)
        if not await desk.call(self._archive.book.add, batch, MOST_BATCHES, list[StoredFile]()):
            raise full()
        return json_reply(shapes.batch(batch, Tally()))

    async def listed(self, request: Request) -> Response:
        """A page of them, the newest first."""
        limit = queries.number(request, "limit", 20, 1, _MOST_LISTED)
        ask = partial(self._archive.book.listed, after=request.query_params.get("after", ""))
        found = await self._archive.desk.call(ask, OPENAI, owner_of(caller_of(request)), limit + 1)
        told = [shapes.batch(one, await self._archive.tally(one)) for one in found]
        return json_reply(queries.page(told, limit))

    async def one(self, request: Request) -> Response:
        """How one stands."""
        batch = await self._asked.found(request)
        return json_reply(shapes.batch(batch, await self._archive.tally(batch)))

    async def cancel(self, request: Request) -> Response:
        """What has not run will not; one that has ended is refused."""
        batch = await self._asked.cancelled(request)
        if batch.state not in OPEN:
            message = f"Cannot cancel a batch with status '{batch.state}': it has ended."
            raise Refused(Fault.CONFLICT, message, "status")
        return json_reply(shapes.batch(batch, await self._archive.tally(batch)))

    async def events(self, request: Request) -> Response:
        """Its counts as they change."""
        await self._asked.found(request)
        return self._progress.reply(partial(self._asked.look, request), shapes.batch)


def _readable(file: StoredFile | None, name: str) -> StoredFile:
    if file is None:
        raise Refused(
            Fault.BAD_REQUEST, f"input_file_id: no such file: '{name[:64]}'. Upload it first.", "input_file_id"
        )
    if file.purpose != BATCH:
        raise Refused(Fault.BAD_REQUEST, "input_file_id: the file's purpose is not 'batch'.", "input_file_id")
    return file


def _batch(fields: Mapping[str, Any], owner: Owner, file: StoredFile, wall: int, settings: JobSettings) -> Batch:
    fields = dict(fields)
    endpoint = queries.text(fields, "endpoint")
    if endpoint not in _ENDPOINTS:
        message = f"endpoint: '{endpoint[:64]}' can be no batch; give one of {', '.join(_ENDPOINTS)}."
        raise Refused(Fault.BAD_REQUEST, message, "endpoint")
    if fields.get("completion_window") != _WINDOW:
        raise Refused(Fault.BAD_REQUEST, f"completion_window: give '{_WINDOW}'.", "completion_window")
    webhook = queries.webhook(fields.get("webhook"), settings)
    kept = fields.get("output_expires_after") or {}
    if not isinstance(kept, dict):
        raise Refused(Fault.BAD_REQUEST, "output_expires_after: give an object.", "output_expires_after")
    return Batch(
        id=new_id(_ID, wall),
        kind=OPENAI,
        owner=owner,
        endpoint=endpoint,
        input_file=file.id,
        place=file.place,
        metadata=queries.metadata(fields.get("metadata")),
        webhook=webhook,
        output_seconds=queries.expiry(kept.get("anchor"), kept.get("seconds"), "output_expires_after"),
        created_us=wall,
        expires_us=wall + WINDOW_US,
        version=1,
    )


def full() -> Refused:
    """The tenant has as many batches as it may have."""
    message = f"There are {MOST_BATCHES} batches that have not ended. Wait for one of them, or cancel one."
    return Refused(Fault.FULL, message, retry_after_us=_AGAIN_US)
