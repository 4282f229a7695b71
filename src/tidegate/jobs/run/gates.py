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

WORKERS: Final = "workers"  # in the state directory: folders of all workers but the first (`supervisor/homes.py`)
_REPLICAS: Final = "+*"  # there: other replicas of the main worker, and where a successor has taken over
_SUCCESSOR: Final = "+"
_LOOK_US: Final = 1_000_000  # how often it is looked which sockets there are
_UNUSED: Final = Profile(name="", dialect="openai", dated="", source="")  # a runner governs nothing
_CONNECT_US: Final = 5_000_000
_LONGEST_US: Final = 86_400_000_000  # how long the gate may take is each call's deadline, and not the pool's
_STALLED_US: Final = 60_000_000  # of an answer that has begun: it is there as a whole


class Address(NamedTuple):
    """Of one worker. `base` has no path; `prefix` stands before each; `host` is what the header says."""

    base: str
    prefix: bytes
    host: bytes


class Sockets:
    """The sockets of the workers that serve the same, each in its turn."""

    __slots__ = ("_clock", "_found", "_looked", "_places", "_turn")

    def __init__(self, places: tuple[tuple[Path, str], ...], clock: Clock) -> None:
        """Folders, and in each a pattern of where sockets may be; the first pattern is of one that shall be there."""
        self._places = places
        self._clock = clock
        self._found: list[Address] = []
        self._looked = 0
        self._turn = 0

    def next(self) -> Address:
        """Whose turn it is; a worker that has died has one too, until it is there again. O(sockets), once a second."""
        now = self._clock.now()
        if not self._found or now - self._looked >= _LOOK_US:
            self._looked = now
            found = sorted(path for folder, pattern in self._places for path in folder.glob(pattern))
            folder, pattern = self._places[0]
            self._found = [_by_socket(path) for path in found or [folder / pattern]]
        self._turn += 1
        return self._found[self._turn % len(self._found)]


class Gates:
    """The workers, by the namespace that is theirs alone, and a pool of connections to each that was called."""

    __slots__ = ("_clock", "_fixed", "_max_body", "_pools", "_sockets", "_tls")

    def __init__(self, snapshot: Snapshot, state_dir: Path, clock: Clock) -> None:
        """Connects to nothing yet. Raises `ValueError` when `gate_url` is no URL, `OSError` without authorities."""
        url, workers = snapshot.jobs.gate_url, state_dir / WORKERS
        self._fixed: dict[str, Address] = {}
        self._sockets: dict[str, Sockets] = {}
        if url:
            self._fixed[""] = _by_url(url, 0)
            self._fixed |= {one.namespace: _by_url(url, one.port) for one in snapshot.isolated}
        else:
            self._sockets[""] = Sockets(((state_dir, CALLS), (workers, f"{_REPLICAS}/{CALLS}")), clock)
            for name in (one.namespace for one in snapshot.isolated):
                places = ((workers / name, CALLS), (workers / f"{name}{_SUCCESSOR}", CALLS))
                self._sockets[name] = Sockets(places, clock)
        self._clock = clock
        self._tls = client_context() if url and self._fixed[""].base.startswith("https:") else None
        self._max_body = snapshot.jobs.max_result_bytes
        self._pools: dict[str, UpstreamPool] = {}

    def of(self, namespace: str) -> Address:
        """Who serves this namespace; where several do, another one each time."""
        if self._fixed:
            return self._fixed.get(namespace) or self._fixed[""]
        return (self._sockets.get(namespace) or self._sockets[""]).next()

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
