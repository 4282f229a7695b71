"""OpenAI's Files API, for what batches read and write."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tidegate.jobs.batches import queries, shapes
from tidegate.jobs.batches.archive import Archive, disk
from tidegate.jobs.batches.folder import Part
from tidegate.jobs.batches.queries import not_found
from tidegate.jobs.batches.records import BATCH, PURPOSES, StoredFile
from tidegate.jobs.batches.upload import Upload, too_large
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.ids import new_id
from tidegate.jobs.desk.replies import json_reply
from tidegate.jobs.records import Owner

FILE: Final = "file-"
_MOST_LISTED: Final = 10_000
_FORM: Final = 65_536  # bytes that a form has beside its file
_GATHERED: Final = 1_048_576  # bytes that go to a thread at once
_PURPOSE: Final = "purpose"


class FileApi:
    """The routes."""

    __slots__ = ("_archive",)

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/v1/files", self.create, methods=["POST"]),
            Route("/v1/files", self.listed, methods=["GET"]),
            Route("/v1/files/{file}", self.one, methods=["GET"]),
            Route("/v1/files/{file}", self.delete, methods=["DELETE"]),
            Route("/v1/files/{file}/content", self.content, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """An upload, on disk when it is answered."""
        owner, length = owner_of(caller_of(request)), queries.length(request)
        if length > self._archive.desk.settings.max_file_bytes + _FORM:
            raise too_large(self._archive.desk.settings.max_file_bytes)
        await self._archive.room(owner, length)
        with disk():
            stored = await self._taken(request, owner)
        return json_reply(shapes.file(stored))

    async def _taken(self, request: Request, owner: Owner) -> StoredFile:
        """On disk and in the rows when this returns; nothing of it is left when it raises."""
        desk, folder = self._archive.desk, self._archive.folder
        part = await desk.call_long(folder.part)
        try:
            most = desk.settings.max_file_bytes
            upload = Upload(request.headers.get("content-type", ""), part, most, _check)
            await self._receive(request, upload)
            stored = self._stored(owner, upload, part)
            await desk.call_long(part.keep, stored.id)
        except BaseException:
            await desk.call_long(part.drop)
            raise
        await desk.call(self._archive.filing.add, stored)
        return stored

    async def _receive(self, request: Request, upload: Upload) -> None:
        desk = self._archive.desk
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size >= _GATHERED:
                await desk.call_long(upload.feed, b"".join(pieces))
                pieces, size = [], 0
        await desk.call_long(upload.feed, b"".join(pieces))
        upload.finish()

    def _stored(self, owner: Owner, upload: Upload, part: Part) -> StoredFile:
        wall = self._archive.desk.clock.wall()
        purpose = upload.fields.get(_PURPOSE)
        if purpose is None:
            raise Refused(Fault.BAD_REQUEST, "Send the field `purpose`: batch.", _PURPOSE)
        anchor, told = upload.fields.get("expires_after[anchor]"), upload.fields.get("expires_after[seconds]")
        seconds = queries.expiry(anchor, told, "expires_after")
        return StoredFile(
            id=new_id(FILE, wall),
            owner=owner,
            purpose=purpose,
            filename=upload.filename or "",
            size=part.size,
            place=self._archive.folder.place,
            created_us=wall,
            expires_us=wall + (seconds * 1_000_000 or self._archive.desk.settings.keep_us),
        )

    async def listed(self, request: Request) -> Response:
        """A page of them."""
        desk, owner = self._archive.desk, owner_of(caller_of(request))
        limit = queries.number(request, "limit", _MOST_LISTED, 1, _MOST_LISTED)
        purpose = queries.word(request, _PURPOSE, (*PURPOSES, ""), "")
        oldest = queries.word(request, "order", ("asc", "desc"), "desc") == "asc"
        after = request.query_params.get("after", "")
        ask = partial(self._archive.filing.listed, purpose=purpose, after=after, oldest=oldest)
        found = await desk.call(ask, owner, desk.clock.wall(), limit + 1)
        return json_reply(queries.page([shapes.file(one) for one in found], limit))

    async def one(self, request: Request) -> Response:
        """What is known of one."""
        return json_reply(shapes.file(await self._found(request)))

    async def content(self, request: Request) -> Response:
        """Its bytes, from disk as the client reads them."""
        found = await self._found(request)
        folder = self._archive.folder
        if found.place != folder.place:
            message = f"The file {found.id} is in another gate's folder. Ask that gate, or share `jobs.files`."
            raise Refused(Fault.UNAVAILABLE, message)
        path = folder.path / found.id
        if not await self._archive.desk.call_long(path.is_file):
            raise not_found("file", found.id)
        return FileResponse(path, media_type="application/octet-stream", filename=found.filename)

    async def delete(self, request: Request) -> Response:
        """It is gone, unless a batch still reads it."""
        desk, found = self._archive.desk, await self._found(request)
        reader = await desk.call(self._archive.filing.delete, found.id, found.owner)
        if reader:
            raise Refused(Fault.CONFLICT, f"The batch {reader} still reads {found.id}. Cancel it first, or wait.")
        if found.place == self._archive.folder.place:
            await desk.call_long(self._archive.folder.delete, [found.id])
        return json_reply({"id": found.id, "object": "file", "deleted": True})

    async def _found(self, request: Request) -> StoredFile:
        desk, file = self._archive.desk, request.path_params["file"]
        found = await desk.call(self._archive.filing.find, file, owner_of(caller_of(request)), desk.clock.wall())
        if found is None:
            raise not_found("file", file)
        return found


def _check(name: str, value: str) -> None:
    """A field, as soon as it has arrived."""
    if name == _PURPOSE and value != BATCH:
        message = f"purpose: '{value[:64]}' is not kept here. This gate keeps files for batches only: send 'batch'."
        raise Refused(Fault.BAD_REQUEST, message, _PURPOSE)
