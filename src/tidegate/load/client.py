"""How the load reaches services: a pool of connections, and the reading of a twin's ledger."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from tidegate.load.driver import Target
from tidegate.load.ledger import Ledger
from tidegate.model.snapshot import Profile, Provider
from tidegate.ports import Clock, Transport, TransportError
from tidegate.wire.tls import client_context
from tidegate.wire.upstream import UpstreamPool

_CONNECT_TIMEOUT_US = 30_000_000
_FETCH_TIMEOUT_US = 30_000_000
_UNUSED_PROFILE = Profile(name="", dialect="openai", dated="", source="")  # the load governs nothing


class FetchError(RuntimeError):
    """A page cannot be read. The message names its URL."""


@contextmanager
def connected(target: Target, clock: Clock, max_connections: int = 20_000) -> Iterator[UpstreamPool]:
    """A pool to the target's service, closed at once at the end. Needs a running event loop.

    Its time-outs are the target's: an answer may rightly be as long in coming as the caller allows.
    """
    provider = Provider(
        name=target.url,
        base_url=target.url,
        profile=_UNUSED_PROFILE,
        scopes=(),
        connect_timeout_us=_CONNECT_TIMEOUT_US,
        first_byte_timeout_us=target.timeout_us,
        idle_timeout_us=target.timeout_us,
        max_connections=max_connections,
    )
    pool = UpstreamPool(provider, clock, client_context() if target.url.startswith("https:") else None)
    try:
        yield pool
    finally:
        pool.abort()


async def fetch(transport: Transport, target: Target, path: str, clock: Clock) -> bytes:
    """The body of `GET path` below the target's URL. Raises `FetchError` unless the answer is 200."""
    where = f"{target.url}{path}"
    deadline = clock.now() + _FETCH_TIMEOUT_US
    try:
        reply = await transport.send(target.head("GET", path), b"", stream=False, deadline=deadline)
    except TransportError as error:
        raise FetchError(f"{where} cannot be read: {error}") from error
    if reply.status != 200:
        raise FetchError(f"{where} answers {reply.status}, not 200")
    return reply.body


async def read_ledger(transport: Transport, target: Target, clock: Clock) -> Ledger:
    """What a twin has booked so far. Raises `FetchError`."""
    try:
        return msgspec.json.decode(await fetch(transport, target, "/twin/ledger", clock), type=Ledger)
    except msgspec.DecodeError as error:
        raise FetchError(f"{target.url}/twin/ledger is no twin's ledger: {error}") from error


def allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: every call that waits holds a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
