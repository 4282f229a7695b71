"""Errors of patient work that no single field shows: rows in two places, pauses that contradict each other."""

from collections.abc import Iterator
from pathlib import Path as FilePath

from tidegate.config.base_url import BadUrl
from tidegate.config.build.jobs import embedded
from tidegate.config.findings import Path
from tidegate.config.queue_url import check_queue, queue_file
from tidegate.config.source import Document, as_mapping
from tidegate.model.jobs import shown

_SQLITE = "sqlite:///"


def check_jobs(document: Document, folder: FilePath) -> None:
    """Add to `document` what is wrong. Rows live in one place: a queue of SQLite that names a file names theirs."""
    data = as_mapping(document.data)
    jobs = as_mapping(data.get("jobs"))
    first: tuple[Path, str] | None = None
    for path, place in _places(data, jobs, folder):
        first = first or (path, place)
        if place != first[1]:
            message = f"another place for jobs than {document.label(first[0])} names"
            document.refuse(path, message, "jobs are kept in one: name it once, and write sqlite:// elsewhere")
    _brokers(data, jobs, document)
    _pauses(jobs, document)


def _places(data: dict[str, object], jobs: dict[str, object], folder: FilePath) -> Iterator[tuple[Path, str]]:
    """Where rows are said to be; files by their absolute path."""
    database = jobs.get("database")
    if isinstance(database, str) and database:
        file = database.removeprefix(_SQLITE)
        yield ("jobs", "database"), str(folder / file) if file != database else database
    for path, section in _queues(data, jobs):
        url = section.get("queue_backend")
        if isinstance(url, str) and _usable(url) and (file := queue_file(check_queue(url))):
            yield (*path, "queue_backend"), str(folder / file)


def _brokers(data: dict[str, object], jobs: dict[str, object], document: Document) -> None:
    """Rows know a broker by its name alone, so that its password may change: two URLs of one name are one queue."""
    seen: dict[str, tuple[Path, str]] = {}
    for path, section in _queues(data, jobs):
        url = section.get("queue_backend")
        if isinstance(url, str) and _usable(url) and not embedded(check_queue(url)):
            at, url = (*path, "queue_backend"), check_queue(url)
            first = seen.setdefault(shown(url), (at, url))
            if first[1] != url:
                message = f"the queue that {document.label(first[0])} names, by another URL"
                document.refuse(at, message, "write one URL for it, or another number of a database or virtual host")


def _usable(url: str) -> bool:
    try:
        check_queue(url)
    except BadUrl:
        return False
    return True


def _queues(data: dict[str, object], jobs: dict[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    yield ("jobs",), jobs
    yield ("model_strategy",), as_mapping(data.get("model_strategy"))
    for name, strategy in as_mapping(data.get("strategies")).items():
        yield ("strategies", name), as_mapping(strategy)


def _pauses(jobs: dict[str, object], document: Document) -> None:
    base, cap = jobs.get("base_seconds", 1), jobs.get("cap_seconds", 300)
    if isinstance(base, (int, float)) and isinstance(cap, (int, float)) and base > cap > 0:
        at = "base_seconds" if "base_seconds" in jobs else "cap_seconds"
        document.refuse(("jobs", at), "base_seconds is longer than cap_seconds", "make it the shorter of the two")
