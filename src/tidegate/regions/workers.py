"""The workers of this node: what they spend, and what each was told that it may spend by."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from tidegate.model.portions import FRAME, LARGEST, Portion, Row, Spending
from tidegate.observe.log import Log
from tidegate.policy.regions.balance import Demand
from tidegate.policy.regions.counters import Counters
from tidegate.policy.regions.party import Allotment, Party


class Line:
    """One worker's connection."""

    __slots__ = ("at", "rows", "sent", "told_until", "writer")

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.rows: dict[str, Row] = {}
        self.sent: dict[str, list[int]] = {}  # by quota and dimension, as of the last report
        self.told_until = 0
        self.at = 0


class Workers:
    """Reads their reports, and hands out parts. A worker that left may go on by what it was told until that ends."""

    __slots__ = ("_counters", "_decode", "_demands", "_encode", "_lines", "_log", "_now", "_party", "_until")

    def __init__(self, party: Party, counters: Counters, log: Log, now: Callable[[], int]) -> None:
        self._party = party
        self._counters = counters
        self._log = log
        self._now = now
        self._lines: set[Line] = set()
        self._demands: dict[str, list[Demand]] = {}
        self._until = 0  # until then somebody who left may go by what it was told
        self._decode = msgspec.msgpack.Decoder(Spending).decode
        self._encode = msgspec.msgpack.Encoder().encode

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One worker, as long as it is there."""
        line = Line(writer)
        self._lines.add(line)
        try:
            while True:
                (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
                if size > LARGEST:
                    raise msgspec.ValidationError(f"a report of {size} bytes")
                self._take(line, self._decode(await reader.readexactly(size)))
                self._tell(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except msgspec.DecodeError as error:
            self._log.error("a worker's report makes no sense; its connection is closed", problem=str(error))
        finally:
            self._lines.discard(line)
            self._until = max(self._until, line.told_until)
            writer.close()

    def _take(self, line: Line, report: Spending) -> None:
        """Count what was spent since its last report."""
        line.rows = {row.quota: row for row in report.rows}
        line.at = self._now()
        for row in report.rows:
            before = line.sent.get(row.quota)
            line.sent[row.quota] = [dim.sent for dim in row.dims]
            if before is not None and len(before) == len(row.dims):
                for kind, dim, old in zip(("requests", "tokens", "outputs"), row.dims, before, strict=False):
                    if dim.sent != old:
                        self._counters.add(f"{kind}/{row.name}", dim.sent - old)
        for quota in line.sent.keys() - line.rows.keys():
            del line.sent[quota]

    def look(self) -> None:
        """Once a beat: what all of them want, and to what all of them keep."""
        now = self._now()
        for quota, rows in self._by_quota().items():
            self._party.want(quota, self._demand(quota, rows, now), max(row.drain_us for row in rows))
        for quota in self._demands.keys() - self._by_quota().keys():
            del self._demands[quota]
            self._party.forget(quota)
        if now >= self._until:
            for quota, held in self._party.held.items():
                if all(self._keeps(line, quota, held) for line in self._lines):
                    self._party.kept(quota, held.epoch, held.seq, now)

    def _keeps(self, line: Line, quota: str, held: Allotment) -> bool:
        row = line.rows.get(quota)
        return row is None or (row.epoch, row.seq) == (held.epoch, held.seq)

    def _by_quota(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for line in self._lines:
            for row in line.rows.values():
                found.setdefault(row.quota, []).append(row)
        return found

    def _demand(self, quota: str, rows: Iterable[Row], now: int) -> int:
        """Of the dimension of which most is wanted. Each worker counts by itself, so totals only grow."""
        spent = [[dim.sent for dim in row.dims] for row in rows]
        known = self._demands.setdefault(quota, [])
        found = 0
        for number, dims in enumerate(zip(*(row.dims for row in rows), strict=False)):
            if number >= len(known):
                known.append(Demand(now))
            total = sum(one[number] for one in spent)
            known[number].total(total, sum(dim.waits for dim in dims), dims[0].limit, dims[0].window_us, now)
            found = max(found, known[number].ppm(now))
        return found

    def tell(self) -> None:
        """Hand out what the node may spend by now."""
        for line in self._lines:
            self._tell(line)

    def _tell(self, line: Line) -> None:
        """Only quotas that it has, so that it says of each whether it keeps to it."""
        told = [Portion(quota, *held) for quota in line.rows if (held := self._party.held.get(quota)) is not None]
        line.told_until = max([line.told_until, *(one.until for one in told)])
        payload = self._encode(told)
        line.writer.write(FRAME.pack(len(payload)) + payload)
