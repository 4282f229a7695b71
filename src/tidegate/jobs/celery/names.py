"""Names at the broker, and how a message is named."""

import hmac
from typing import Final

from tidegate.jobs.records import Dispatch

TASK: Final = "tidegate.jobs.run"
_PREFIX: Final = "tidegate.jobs"
_DIGITS: Final = 8


def queue_of(secret: bytes) -> str:
    """The queue of the gates that share a database, as `tidegate.jobs.1b4f0e98`; `secret` is `Rows.secret`.

    Gates of different databases may so share a broker: none takes the jobs of another.
    """
    return f"{_PREFIX}.{hmac.digest(secret, b'queue', 'sha256').hex()[:_DIGITS]}"


def dead_of(queue: str) -> str:
    """Exchange and queue of messages that RabbitMQ gave up on."""
    return f"{queue}.dead"


def task_id(dispatch: Dispatch) -> str:
    """What Celery and Flower call it: one id each time that the job is handed out."""
    return f"{dispatch.id}.{dispatch.fence}"
