"""What all who serve files and batches share: the folder, what is known of both, and counts that are cheap to ask."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tidegate.jobs.batches.book import BatchRepository
from tidegate.jobs.batches.filing import Filing
from tidegate.jobs.batches.folder import FOLDER, Folder
from tidegate.jobs.batches.records import MOST_FILES, MOST_SPACE, OPEN, Batch, Tally
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.records import Owner

_FRESH_US: Final = 1_000_000
_SHARE: Final = 20  # counting takes one part of so many, at most
_MOST: Final = 1_000


@contextmanager
def disk() -> Iterator[None]:
    """What a full disk, or a folder that cannot be written, looks like to clients."""
    try:
        yield
    except OSError as error:
        message = f"The gate cannot write its files ({error.strerror or type(error).__name__}). Its operator must look."
        raise Unavailable(message) from error


class Archive:
    """Raises `desk.errors.Unavailable` while the database is not open, or the folder cannot be used."""

    __slots__ = ("_folder", "_tallies", "desk")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._folder: Folder | None = None
        self._tallies: OrderedDict[str, tuple[int, Tally]] = OrderedDict()  # until when they are fresh enough

    @property
    def folder(self) -> Folder:
        """Made when it is first needed. Another one needs a new process. Raises `Unavailable`."""
        if self._folder is None:
            with disk():
                self._folder = Folder(Path(self.desk.settings.files or self.desk.state_dir / FOLDER))
        return self._folder

    @property
    def filing(self) -> Filing:
        """Files."""
        return Filing(self.desk.rows.engine)

    @property
    def book(self) -> BatchRepository:
        """Batches."""
        return BatchRepository(self.desk.rows.engine)

    async def room(self, owner: Owner, length: int) -> None:
        """Raises `Refused` where an owner's files leave none for so many bytes more."""
        files, space = await self.desk.call(self.filing.held, owner)
        if files >= MOST_FILES:
            raise Refused(Fault.FULL, f"There are {files} files already. Delete some: DELETE /v1/files/ID.", "file")
        if space + length > MOST_SPACE * self.desk.settings.max_file_bytes:
            message = f"The files that are kept have {space} bytes already. Delete some, or batches that have ended."
            raise Refused(Fault.FULL, message, "file")

    async def tally(self, batch: Batch) -> Tally:
        """How its lines stand, not older than a second, or than twenty times what it takes to count them."""
        if batch.state not in OPEN:
            return batch.tally
        now = self.desk.clock.now()
        known = self._tallies.get(batch.id)
        if known is not None and now < known[0] and known[1].total == batch.total:
            return known[1]
        tally = await self.desk.call(self.book.tally, batch)
        took = self.desk.clock.now() - now
        self._tallies[batch.id] = (now + max(_FRESH_US, took * _SHARE), tally)
        if len(self._tallies) > _MOST:
            self._tallies.popitem(last=False)
        return tally
