"""The batch that a request names, of one maker's API: found, watched, cancelled, and what its webhook was told."""

from starlette.requests import Request
from starlette.responses import Response

from tidegate.jobs.batches.archive import Archive
from tidegate.jobs.batches.queries import not_found
from tidegate.jobs.batches.records import Batch, Tally
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.replies import json_reply
from tidegate.jobs.desk.views import deliveries_view
from tidegate.jobs.hooks.log import deliveries


class Asked:
    """Of the batches of one `kind`; `noun`: as that maker calls one."""

    __slots__ = ("_archive", "_kind", "_noun")

    def __init__(self, archive: Archive, kind: str, noun: str) -> None:
        self._archive = archive
        self._kind = kind
        self._noun = noun

    async def found(self, request: Request) -> Batch:
        """It, when it is the caller's. Raises `Refused`."""
        name = request.path_params["batch"]
        found = await self._archive.desk.call(self._archive.book.find, name, self._kind, owner_of(caller_of(request)))
        if found is None:
            raise not_found(self._noun, name)
        return found

    async def look(self, request: Request) -> tuple[Batch, Tally]:
        """It, and how far it is. Raises `Refused`."""
        batch = await self.found(request)
        return batch, await self._archive.tally(batch)

    async def cancelled(self, request: Request) -> Batch:
        """It, after what had not run was cancelled; as it stands where it had ended. Raises `Refused`."""
        desk, name = self._archive.desk, request.path_params["batch"]
        owner = owner_of(caller_of(request))
        batch = await desk.call(self._archive.book.cancel, name, self._kind, owner, desk.clock.wall())
        if batch is None:
            raise not_found(self._noun, name)
        return batch

    async def deliveries(self, request: Request) -> Response:
        """The attempts at telling its webhook of its end."""
        desk, batch = self._archive.desk, await self.found(request)
        return json_reply(deliveries_view(await desk.call(deliveries, desk.rows, batch.id)))
