"""A broker by its URL, for those who must go on where Celery is not installed: it is imported here and not before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.faces import Backend, BackendDown, Rows
from tidegate.model.jobs import shown
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

if TYPE_CHECKING:
    from tidegate.jobs.celery.serving import Serving

_REMEDY = "needs the package celery: pip install 'tidegate[celery]'"


def open_backend(url: str, rows: Rows) -> Backend:
    """What carries the jobs of these rows over this broker; it connects when it is first used.

    Raises `BackendDown` where Celery is not installed, and `SQLAlchemyError`.
    """
    try:
        from tidegate.jobs.celery.backend import CeleryBackend  # noqa: PLC0415 - an extra
    except ImportError:
        raise BackendDown(f"{shown(url)} {_REMEDY}") from None
    return CeleryBackend(url, queue_of(rows.secret()))


def open_serving(snapshot: Snapshot, state_dir: Path, backend: str, name: str, log: Log) -> Serving:
    """A runner whose jobs come over this broker, on the running event loop; see `serving.Serving`.

    Raises `ValueError` where Celery is not installed, and what opening the rows does.
    """
    try:
        from tidegate.jobs.celery.serving import Serving  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(f"{shown(backend)} {_REMEDY}") from None
    return Serving(snapshot, state_dir, backend, name, log)
