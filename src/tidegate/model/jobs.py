"""Patient work: the words of jobs, and the snapshot's record of how they are run.

Units are those of `model/snapshot.py`. A *backend* is the URL of what carries jobs to those who run them; "" is the
embedded one, where the rows themselves are the queue.
"""

from typing import Final
from urllib.parse import urlsplit

from tidegate.model.record import Record

QUEUED: Final = "queued"  # also one that is tried again at its time
RUNNING: Final = "running"
DONE: Final = "done"  # the gate answered it
FAILED: Final = "failed"  # it was refused for what it says, and would be again
DEAD: Final = "dead"  # given up: attempts, crashes or time
CANCELLED: Final = "cancelled"
ENDS: Final = (DONE, FAILED, DEAD, CANCELLED)

EMBEDDED: Final = ""
SOCKET: Final = "jobs.sock"  # in the state directory: where the desk listens
CALLS: Final = "calls.sock"  # in a worker's directory: where it takes the calls of runners on the same machine
KEY: Final = "jobs.key"  # in the state directory: what tickets are signed with, for the workers
DATABASE: Final = "jobs.db"  # in the state directory, where the ledger's database is SQLite too

TICKET_HEADER: Final = b"x-tidegate-job-ticket"  # runner to worker: for which job, and for whom
CALLER_HEADER: Final = b"x-tidegate-caller"  # worker to desk: who asks
HOLD_HEADER: Final = b"x-tidegate-hold"  # worker to desk: a call that is to run as a job while its client waits


class WebhookSettings(Record, frozen=True):
    """Who is told of the end of a job, and how. Without a secret nobody is: a webhook is then refused."""

    secret: bytes = b""  # Standard Webhooks: what stands behind `whsec_`, decoded
    allow: tuple[str, ...] = ()  # names or networks that may be asked though they are not public
    attempts: int = 8
    timeout_us: int = 15_000_000


class JobSettings(Record, frozen=True):
    """How patient work is kept and run."""

    enabled: bool = False  # somebody wants it: the section stands in the file, or a strategy is `async`
    database: str = ""  # as `ledger.database`; "" = beside it: the same PostgreSQL, or `jobs.db`
    files: str = ""  # the folder of uploaded and written files, "" = `files` in the state directory
    backend: str = EMBEDDED  # for whatever names no strategy with one of its own
    on_backend_failure: str = "queue"  # keep jobs here until it is back | refuse new ones
    runners: int = 1  # processes for each backend that the supervisor keeps; 0 = your own fleet
    concurrency: int = 64  # calls in flight of one runner for one tenant; a third more places are kept for others
    gate_url: str = ""  # where runners find the gate, "" = by its socket
    max_attempts: int = 5  # failures of a job until it is dead; being told to wait is none
    max_crashes: int = 3  # runners that died over it
    lease_us: int = 6_000_000  # a runner that says nothing for so long has died
    deadline_us: int = 86_400_000_000  # of a job that names none
    call_deadline_us: int = 600_000_000  # of one attempt: how long it may wait for quota
    base_us: int = 1_000_000  # first pause after a failure; each is twice as long, with jitter
    cap_us: int = 300_000_000
    max_queued: int = 1_000_000  # jobs of one tenant that have not ended
    max_file_bytes: int = 536_870_912
    max_batch_lines: int = 100_000
    max_result_bytes: int = 16_777_216
    keep_us: int = 2_592_000_000_000  # after their end: jobs, files, batches
    webhooks: WebhookSettings = WebhookSettings()


def shown(backend: str) -> str:
    """A backend as it is told: without credentials and query. "embedded" for the rows themselves."""
    if not backend or backend.startswith("sqlite"):
        return "embedded"
    url = urlsplit(backend)
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.hostname or ''}{port}{url.path.rstrip('/')}"
