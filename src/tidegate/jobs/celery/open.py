"""A broker by its URL, for those who must go on where Celery is not installed."""

from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.faces import Backend, BackendDown, Rows
from tidegate.model.jobs import shown

REMEDY = "needs the package celery: pip install 'tidegate[celery]'"


def open_backend(url: str, rows: Rows) -> Backend:
    """What carries the jobs of these rows over this broker; it connects when it is first used.

    Raises `BackendDown` where Celery is not installed, and `SQLAlchemyError`. Celery is imported here and not before.
    """
    try:
        from tidegate.jobs.celery.backend import CeleryBackend  # noqa: PLC0415 - an extra
    except ImportError:
        raise BackendDown(f"{shown(url)} {REMEDY}") from None
    return CeleryBackend(url, queue_of(rows.secret()))
