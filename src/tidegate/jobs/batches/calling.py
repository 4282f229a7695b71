"""What the calls of a batch carry beside their bodies."""

import msgspec
from starlette.requests import Request

from tidegate.jobs.batches.records import Batch
from tidegate.jobs.desk import calls


def with_headers(batch: Batch, request: Request, tags: tuple[str, ...]) -> Batch:
    """The batch, whose calls say what its request said of them, and the tags of who asked."""
    lines = calls.lines_of_job(request.headers.raw) + calls.tag_line(tags)
    return msgspec.structs.replace(batch, headers=lines)
