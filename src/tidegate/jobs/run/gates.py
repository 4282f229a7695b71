"""Where the gate takes the calls of runners: a socket of each of its workers, or a URL."""

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tidegate.model.jobs import CALLS
from tidegate.model.snapshot import Profile, Provider, Snapshot
from tidegate.ports import Clock
from tidegate.wire.endpoint import endpoint_of
from tidegate.wire.stream import Reply
from tidegate.wire.tls import client_context
from tidegate.wire.upstream import UpstreamPool

WORKERS: Final = "workers"  # in the state directory: a folder for each isolated namespace
_UNUSED: Final = Profile(name="", dialect="openai", dated="", source="")  # a runner governs nothing
_CONNECT_US: Final = 5_000_000
_LONGEST_US: Final = 86_400_000_000  # how long the gate may take is each call's deadline, and not the pool's
_STALLED_US: Final = 60_000_000  # of an answer that has begun: it is there as a whole


class Address(NamedTuple):
    """Of one worker. `base` has no path; `prefix` stands before each; `host` is what the header says."""

    base: str
    prefix: bytes
    host: bytes


class Gates:
    """The workers, by the namespace that is theirs alone, and a pool of connections to each that was called."""

    __slots__ = ("_addresses", "_clock", "_main", "_max_body", "_pools", "_tls")

    def __init__(self, snapshot: Snapshot, state_dir: Path, clock: Clock) -> None:
        """Connects to nothing yet. Raises `ValueError` when `gate_url` is no URL, `OSError` without authorities."""
        url = snapshot.jobs.gate_url
        self._main = _by_url(url, 0) if url else _by_socket(state_dir / CALLS)
        self._addresses = {
            one.namespace: _by_url(url, one.port) if url else _by_socket(state_dir / WORKERS / one.namespace / CALLS)
            for one in snapshot.isolated
        }
        self._clock = clock
        self._tls = client_context() if self._main.base.startswith("https:") else None
        self._max_body = snapshot.jobs.max_result_bytes
        self._pools: dict[str, UpstreamPool] = {}

    def of(self, namespace: str) -> Address:
        """Who serves this namespace. O(1)."""
        return self._addresses.get(namespace, self._main)

    async def send(self, address: Address, head: bytes, body: bytes, deadline: int) -> Reply:
        """A 2xx reply comes with its stream, any other whole. Raises `TransportError`. Needs a running event loop."""
        return await self._pool(address.base).send(head, body, stream=True, deadline=deadline)

    def close(self) -> None:
        """Close what is idle now, and the rest when its reply is complete."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, base: str) -> UpstreamPool:
        pool = self._pools.get(base)
        if pool is None:
            provider = Provider(
                name="gate",
                base_url=base,
                profile=_UNUSED,
                scopes=(),
                connect_timeout_us=_CONNECT_US,
                first_byte_timeout_us=_LONGEST_US,
                idle_timeout_us=_STALLED_US,
            )
            pool = self._pools[base] = UpstreamPool(provider, self._clock, self._tls, self._max_body)
        return pool


def _by_socket(path: Path) -> Address:
    return _address(f"unix:{path.absolute()}", "")


def _by_url(url: str, port: int) -> Address:
    """`port`: of an isolated namespace's own worker on the same host, 0 = the URL's."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    number = port or parts.port
    return _address(f"{parts.scheme}://{host}{f':{number}' if number else ''}", parts.path.rstrip("/"))


def _address(base: str, prefix: str) -> Address:
    return Address(base, prefix.encode("ascii"), endpoint_of(base).host_header.encode("ascii"))
