"""The routes of files and batches, for the desk's app."""

from collections.abc import Callable

from starlette.routing import Route

from tidegate.jobs.batches.archive import Archive
from tidegate.jobs.batches.batch_api import BatchApi
from tidegate.jobs.batches.file_api import FileApi
from tidegate.jobs.batches.message_api import MessageApi
from tidegate.jobs.batches.progress import Progress
from tidegate.jobs.desk.desk import Desk


def routes(desk: Desk, over: Callable[[], bool] = lambda: False) -> list[Route]:
    """All of them. `over`: the desk ends, so that nobody is told any more how a batch gets on."""
    archive, progress = Archive(desk), Progress(desk.clock, over)
    return [
        *FileApi(archive).routes(),
        *BatchApi(archive, progress).routes(),
        *MessageApi(archive, progress).routes(),
    ]
