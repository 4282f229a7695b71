"""What is worth saying of a cluster: what becomes dangerous or slow only once something fails."""

from collections.abc import Iterator
from importlib.util import find_spec

from tidegate.cluster.url import UNIX, BadUrl, StoreAddress, parse
from tidegate.config.findings import Advice
from tidegate.config.schema.file import Config
from tidegate.config.source import Document


def advise_cluster(config: Config, document: Document) -> Iterator[Advice]:
    """Paths, messages and remedies. O(1)."""
    item = config.cluster
    if item.on_state_loss == "open":
        message = "while the shared state is away no shared limit holds anybody back, and providers refuse calls"
        yield (
            ("cluster", "on_state_loss"),
            message,
            "write local: each worker goes on with its share, within the limits",
        )
    if item.url is None:
        return
    place = parse(item.url)
    if find_spec("redis") is None:
        yield ("cluster", "url"), "the package for it is not installed here", "pip install 'tidegate[redis]'"
    if place.password and ("cluster", "url") not in document.substituted:
        yield ("cluster", "url"), "a password stands in the file", 'keep the URL in the environment and write "${NAME}"'
    if place.kind != UNIX and not (config.ledger.database or "").startswith("postgresql"):
        message = "several nodes have a ledger, keys and jobs each for itself while the database is SQLite"
        yield ("cluster", "url"), message, "give ledger.database a PostgreSQL, unless there is one node"
    jobs = config.jobs
    if place.kind != UNIX and jobs is not None and jobs.files is None:
        message = "files of batches are in a folder of each node, and the others do not find them"
        yield ("cluster", "url"), message, "give jobs.files a folder that all nodes share, unless there is one node"
    if config.cache.redis is not None and _same(config.cache.redis.url, place):
        message = "kept answers fill the server that holds the quotas, and once it is full nothing can be written there"
        yield ("cache", "redis", "url"), message, "give the cache a server of its own"


def _same(url: str, place: StoreAddress) -> bool:
    try:
        return bool(set(parse(url).hosts) & set(place.hosts))
    except BadUrl:
        return False
