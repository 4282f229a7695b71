"""A worker's side of its region's part: what it spends, told to the process beside; what it may spend by, kept to.

What was told holds until its moment, whoever is gone; then the floor. Before anything was told nothing passes, and with
limits that count in windows nothing passes for a window after the start either: nobody remembers what an earlier worker
spent in it. Where workers share their quotas (`cluster`), what was spent is remembered there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from tidegate.line.lane import Lane
from tidegate.line.lanes import Lanes
from tidegate.model.portions import FRAME, LARGEST, Dimension, Portion, Row, Spending
from tidegate.model.regions import SOCKET, WHOLE, RegionSettings
from tidegate.model.snapshot import Snapshot
from tidegate.policy.lease.times import LEASE_US
from tidegate.ports import Clock
from tidegate.units import MINUTE_US, SECOND_US

EVERY_US: Final = 100_000
_LOOK_US: Final = 20_000  # between two looks whether a part has ended
Keep: TypeAlias = Callable[[str, Callable[[], Awaitable[None]]], None]  # beside the calls, by name
_USUAL: Final = 1_000  # tokens of a call, before any was sent


class Parts:
    """What this worker's lanes may spend by. One a worker; `run` never ends by itself."""

    __slots__ = ("_born", "_central", "_clock", "_decode", "_encode", "_kept", "_lanes", "_path", "_settings", "_told",
                 "_worker")  # fmt: skip

    def __init__(
        self, settings: RegionSettings, state: Path, lanes: Lanes, clock: Clock, worker: int, *, central: bool
    ) -> None:
        """`central`: workers share their quotas, and the shared state remembers what was spent."""
        self._settings = settings
        self._path = state / SOCKET
        self._lanes = lanes
        self._clock = clock
        self._worker = worker
        self._central = central
        self._born = clock.now()
        self._told: dict[str, Portion] = {}
        self._kept: dict[str, tuple[int, int]] = {}  # what lanes keep to, as it was told
        self._decode = msgspec.msgpack.Decoder(list[Portion]).decode
        self._encode = msgspec.msgpack.Encoder().encode
        lanes.apportion(self.part_of)

    def change(self, settings: RegionSettings) -> None:
        """The configuration changed."""
        self._settings = settings
        self._lanes.apportion(self.part_of)

    def part_of(self, lane: Lane) -> int:
        """In millionths of its limits."""
        if not self._shared(lane):
            return WHOLE
        now = self._clock.now()
        if not self._central and now - self._born < _window_us(lane):
            return 0
        told = self._told.get(lane.key)
        if told is None:
            return 0
        return told.ppm if now < told.until else told.floor

    def _shared(self, lane: Lane) -> bool:
        settings = self._settings
        scope = lane.name.removesuffix(f"/{lane.model}")
        return bool(settings.name) and (not settings.scopes or scope in settings.scopes)

    async def run(self) -> None:
        """Look whether parts ended, and speak with the process beside."""
        async with asyncio.TaskGroup() as tasks:  # should one fail, none of them goes on beside its successor
            tasks.create_task(self._look())
            tasks.create_task(self._speak())

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_US)
            self._lanes.apportion(self.part_of)

    async def _speak(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await self._clock.sleep(EVERY_US)
                continue
            try:
                await asyncio.gather(self._say(writer), self._hear(reader))
            except (OSError, asyncio.IncompleteReadError, msgspec.DecodeError):
                pass
            finally:
                writer.close()
            await self._clock.sleep(EVERY_US)

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            payload = self._encode(Spending(self._worker, list(self._rows())))
            writer.write(FRAME.pack(len(payload)) + payload)
            await writer.drain()
            await self._clock.sleep(EVERY_US)
        raise ConnectionError

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
            if size > LARGEST:
                raise ConnectionError
            for portion in self._decode(await reader.readexactly(size)):
                self._told[portion.quota] = portion
            self._lanes.apportion(self.part_of)
            self._kept = {quota: (one.epoch, one.seq) for quota, one in self._told.items()}

    def _rows(self) -> Iterator[Row]:
        shared = [lane for lane in self._lanes if self._shared(lane)]
        for quota in self._told.keys() - {lane.key for lane in shared}:
            del self._told[quota]
        for lane in shared:
            if dims := list(_dimensions(lane)):
                yield Row(lane.key, lane.name, self._drain_us(lane), *self._kept.get(lane.key, (0, 0)), dims)

    def _drain_us(self, lane: Lane) -> int:
        """How long what was spent by a larger part counts: in a bucket not at all, but for what is leased."""
        return _window_us(lane) + (2 * LEASE_US if self._central else 0)


class Regions:
    """What of a worker is there only while there are several regions."""

    __slots__ = ("_clock", "_keep", "_lanes", "_parts", "_state", "_worker")

    def __init__(self, state: Path, lanes: Lanes, clock: Clock, worker: int, keep: Keep, first: Snapshot) -> None:
        self._state = state
        self._lanes = lanes
        self._clock = clock
        self._worker = worker
        self._keep = keep
        self._parts: Parts | None = None
        self.follow(first)

    def follow(self, snapshot: Snapshot) -> None:
        """Keep to the region's part of quotas that it shares with others, as the configuration says now."""
        if self._parts is not None:
            self._parts.change(snapshot.regions)
        elif snapshot.regions.name:
            central = bool(snapshot.cluster.url)
            self._parts = Parts(snapshot.regions, self._state, self._lanes, self._clock, self._worker, central=central)
            self._keep("keeping to the region's part", self._parts.run)


def _window_us(lane: Lane) -> int:
    """Of a limit that counts in windows, with what delays add; 0 of a bucket."""
    profile = lane.service.profile
    window = lane.window or profile.window
    if window == "continuous":
        return 0
    return (SECOND_US if window == "quantised" else MINUTE_US) + profile.jitter_us


def _dimensions(lane: Lane) -> Iterator[Dimension]:
    """Requests and tokens, as far as they are limited. Who waits in a pool waits for each of its lanes in part."""
    pool = lane.pool
    calls = -(-pool.waiting // max(1, len(pool.lanes))) if pool is not None else 0
    requests, tokens = lane.requests, lane.tokens
    if requests.limit:
        yield Dimension(requests.sent, calls, requests.limit, MINUTE_US)
    if tokens.limit:
        each = tokens.sent // requests.sent if requests.sent > 0 else _USUAL
        yield Dimension(tokens.sent, calls * each, tokens.limit, MINUTE_US)
