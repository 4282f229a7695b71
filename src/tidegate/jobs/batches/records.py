"""What is known of files and batches. `*_us` are microseconds of the wall clock since 1970; 0 = none, not yet."""

from typing import Final

import msgspec

from tidegate.jobs.records import Owner

OPENAI: Final = "openai"
ANTHROPIC: Final = "anthropic"

VALIDATING: Final = "validating"
IN_PROGRESS: Final = "in_progress"
FINALIZING: Final = "finalizing"
CANCELLING: Final = "cancelling"
COMPLETED: Final = "completed"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"
OPEN: Final = (VALIDATING, IN_PROGRESS, FINALIZING, CANCELLING)

BATCH: Final = "batch"
OUTPUT: Final = "batch_output"
REQUESTS: Final = "batch_requests"  # what an Anthropic batch asks: no file of a client's
RESULTS: Final = "batch_results"  # and what it was answered
PURPOSES: Final = (BATCH, OUTPUT)  # of what clients see

MOST_FILES: Final = 1_000  # of one tenant that it uploaded and did not delete
MOST_SPACE: Final = 64  # times `max_file_bytes`: what one tenant's files may take
MOST_BATCHES: Final = 100  # of one tenant that have not ended
WINDOW_US: Final = 86_400_000_000  # a batch's completion window: 24 h
LINE_PRIORITY: Final = -100  # lines give way to whatever else the tenant has
LONGEST_LINE: Final = 16_777_216  # bytes of one line, and of one request of an Anthropic batch
LONGEST_NAME: Final = 512  # characters of a `custom_id`


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file on disk, under its id in the folder `place` stands for."""

    id: str
    owner: Owner
    purpose: str
    filename: str
    size: int
    place: str
    created_us: int
    expires_us: int = 0
    batch: str = ""  # that it is of, where no client uploaded it


class Tally(msgspec.Struct, frozen=True):
    """How many lines of a batch stand so. `total` counts all, also those that are not in rows yet."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0  # refused, given up, or no request at all
    cancelled: int = 0
    expired: int = 0

    @property
    def open(self) -> int:
        """What has not ended."""
        return self.total - self.succeeded - self.failed - self.cancelled - self.expired


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with a line, or with a whole file (`line` 0)."""

    code: str
    message: str
    line: int = 0
    param: str = ""
    custom_id: str = ""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it stands."""

    id: str
    kind: str
    owner: Owner
    endpoint: str
    headers: bytes = b""  # header lines of all its calls, each with CRLF
    input_file: str
    place: str
    metadata: bytes = b""  # JSON, as it was given
    webhook: str = ""
    output_seconds: int = 0  # how long its output is kept, 0 = as any file
    state: str = VALIDATING
    ending: str = ""  # what it is to become, where that is not `completed`: cancelled | expired
    created_us: int
    expires_us: int
    in_progress_us: int = 0
    finalizing_us: int = 0
    cancelling_us: int = 0
    ended_us: int = 0
    model: str = ""  # of its first line
    total: int = 0  # lines that are not blank
    bad: int = 0  # of those that were fed: lines that never became a job
    position: int = 0  # bytes of the input that were fed
    line: int = 0  # and its lines, blank ones too
    fed: bool = False  # all of it
    tally: Tally = Tally()  # once it has ended
    faults: tuple[Fault, ...] = ()  # of the file as a whole
    prompt_tokens: int = 0
    completion_tokens: int = 0
    output_file: str = ""
    error_file: str = ""
    clean: bool = False  # it has ended, and the rows keep nothing of what was asked and answered
    version: int = 0  # grows with each change


class Ask(msgspec.Struct, frozen=True):
    """A line that is a request."""

    line: int
    custom_id: str
    model: str
    body: bytes
