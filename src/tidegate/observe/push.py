"""The worker's counters to the control process, over a Unix socket, once a second.

Never in anybody's way: when control is away or slow, the round is dropped. Counters are cumulative, so nothing is lost.
A frame is the length as u32 and one msgpack `Report`.
"""

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from tidegate.observe.meters import AnswersMeter, ClusterMeter, JournalMeter, SemanticMeter, SpendGauge
from tidegate.observe.observer import Observer
from tidegate.ports import Clock

FRAME = struct.Struct("!I")
EVERY_US = 1_000_000
LARGEST = 16 * 1024 * 1024


class Pusher:
    """Owns the connection to control. `run` never ends by itself; cancel it."""

    __slots__ = (
        "_answers", "_clock", "_cluster", "_encode", "_journal", "_observer", "_path", "_pid", "_semantic", "_spends",
        "_transport", "_worker",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - who says what is each of its own
        self,
        path: Path,
        observer: Observer,
        clock: Clock,
        worker: int,
        pid: int,
        journal: Callable[[], JournalMeter] = JournalMeter,
        spends: Callable[[], list[SpendGauge]] = list,
        answers: Callable[[], list[AnswersMeter]] = list,
        semantic: Callable[[], SemanticMeter | None] = lambda: None,
        cluster: Callable[[], ClusterMeter | None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._spends = spends
        self._answers = answers
        self._semantic = semantic
        self._cluster = cluster
        self._path = path
        self._observer = observer
        self._clock = clock
        self._worker = worker
        self._pid = pid
        self._encode = msgspec.msgpack.Encoder().encode
        self._transport: asyncio.WriteTransport | None = None

    async def run(self) -> None:
        """Push at once, then every second."""
        try:
            while True:
                await self.push()
                await self._clock.sleep(EVERY_US)
        finally:
            self._drop()

    async def push(self) -> None:
        """One round. It is made even when control is away: the rates want to be sampled every second."""
        await self._connect()
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() > 0:
            transport = None  # control has not read the last round yet
        for report in self._observer.reports(self._worker, self._pid):
            if report.last:
                report.journal = self._journal()
                report.spends = self._spends()
                report.answers = self._answers()
                report.semantic = self._semantic()
                report.cluster = self._cluster()
            if transport is not None:
                payload = self._encode(report)
                transport.write(FRAME.pack(len(payload)) + payload)

    async def _connect(self) -> None:
        if self._transport is not None and self._transport.is_closing():
            self._transport = None
        if self._transport is None:
            loop = asyncio.get_running_loop()
            try:
                # A bare Protocol closes its transport when control ends; there is nothing to hear from it.
                self._transport, _ = await loop.create_unix_connection(asyncio.Protocol, str(self._path))
            except OSError:
                return

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
