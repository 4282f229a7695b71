"""Where answers are kept: the bound of memory, stores that are frozen, killed or damaged, and who stays in memory."""

import asyncio
import random
import resource
import signal
import sys
import tempfile
import time
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path
from statistics import quantiles

import uvloop

from bench.figures import at_least, at_most, exactly, told
from bench.proofs.steps import Context, Row, passing, run
from harness.servers.valkey import Valkey
from tidegate.cache.answers import Answers
from tidegate.cache.disk import NAME, Disk
from tidegate.cache.frame import encode
from tidegate.cache.memory import PLACE_BYTES, Memory
from tidegate.cache.redis import Redis
from tidegate.clock import SystemClock
from tidegate.model.caching import CacheSettings
from tidegate.ports import AnswerStore
from tidegate.testing.kept import HOUR, NothingPurged, ScriptedStore, Told, entry_of, key_of

MILLION = 1_000_000
BOUND = 64_000_000  # bytes of the memory that a million answers are put into
TIMEOUT_US = 50_000
LATE_MS = 25  # beyond the time-out: a turn of the loop on a busy machine
_DEADLINE_US = 30_000_000


def filled(entries: int) -> tuple[int, int, int, int]:
    """Put so many distinct answers: the most bytes it said it held, resident growth, answers held, and made room."""
    before, most = _resident(), 0
    memory = Memory(BOUND)
    for number in range(entries):
        memory.put(entry_of(number, b"x" * (number * 7 % 3_000), wall=1 << 50))
        most = max(most, memory.bytes)
    return most, _resident() - before, len(memory), memory.evicted


def bounded(context: Context, row: Row) -> None:
    """A million distinct answers, in a process of its own so that nothing else's memory is counted."""
    entries = MILLION // 10 if context.quick else MILLION
    program = f"from bench.proofs.caching.stores import filled; print(*filled({entries}))"
    done = run(row, [sys.executable, "-c", program])
    most, grown, held, evicted = map(int, done.stdout.split())
    row.figures += [
        at_most("memory: the most that it held", most / 1e6, BOUND / 1e6, "MB", f"{entries:,} distinct answers"),
        at_most("resident memory that this took", grown / 1e6, BOUND / 1e6 * 1.1, "MB"),
        told("answers there at the end, and that made room", f"{held:,} and {evicted:,}"),
    ]  # fmt: skip


class Scene:
    """Answers over one real store; what each call waited for it."""

    def __init__(self, store: AnswerStore, memory_bytes: int = 0) -> None:
        self.clock = SystemClock()
        self.log = Told()
        settings = CacheSettings(redis_timeout_us=TIMEOUT_US)
        self.answers = Answers(Memory(memory_bytes), [store], settings, NothingPurged(), self.clock, self.log)

    async def ask(self, calls: int) -> tuple[list[float], int]:
        """Calls one after the other, a few at a time: the milliseconds of each, and how many were found."""
        waits, found = list[float](), 0
        for start in range(0, calls, 4):
            began = time.perf_counter()
            entries = await asyncio.gather(*[self._one(start + number) for number in range(4)])
            waits += [(ended - began) * 1e3 for _, ended in entries]
            found += sum(there for there, _ in entries)
            await asyncio.sleep(0.005)
        return waits, found

    async def _one(self, number: int) -> tuple[bool, float]:
        entry = await self.answers.later(key_of(number % 50), self.clock.now() + _DEADLINE_US)
        return entry is not None, time.perf_counter()

    async def keep(self) -> None:
        for number in range(50):
            self.answers.keep(entry_of(number, b'{"n":%d}' % number, wall=self.clock.wall()))
        await asyncio.sleep(0.2)


async def _phases(calls: int) -> list[tuple[str, list[float], int]]:
    server = Valkey()
    scene = Scene(Redis(server.url, "prove", TIMEOUT_US))
    told_of: list[tuple[str, list[float], int]] = []

    async def phase(name: str) -> None:
        waits, found = await scene.ask(calls)
        told_of.append((name, waits, found))

    async def recover() -> None:
        await asyncio.sleep(6)  # the longest pause of a breaker
        await scene.keep()  # one of these is the probe, and the others are not tried
        await scene.keep()
        await scene.ask(4)  # as above

    try:
        await scene.keep()
        await phase("up")
        server.freeze()
        await phase("frozen (SIGSTOP)")
        server.freeze(signal.SIGCONT)
        await recover()
        await phase("up again (SIGCONT)")
        server.kill()
        await phase("killed (SIGKILL)")
        server.start()
        await recover()
        await phase("started again")
    finally:
        await scene.answers.close()
        server.close()
    return told_of


def failing(context: Context, row: Row) -> None:
    """A real Valkey server that is stopped, goes on, is killed and comes back: what calls wait for it."""
    calls = 100 if context.quick else 1_000
    row.commands.append(
        f"Answers over Valkey on a Unix socket, time-out {TIMEOUT_US / 1e3:g} ms, {calls:,} calls a phase"
    )
    for name, waits, found in uvloop.run(_phases(calls)):
        middle = quantiles(waits, n=100)
        note = f"median {middle[49]:.2f} ms, p99 {middle[98]:.2f} ms; {found:,} of {len(waits):,} answered"
        row.figures.append(at_most(f"longest wait, {name}", max(waits), TIMEOUT_US / 1e3 + LATE_MS, "ms", note))
        if "up" in name or "started" in name:
            row.figures.append(at_least(f"answered, {name}", found / len(waits) * 100, 99, "%"))


async def _spoilt(store: AnswerStore, turns: int) -> tuple[int, int, int, int]:
    scene, luck = Scene(store), random.Random(5)
    entry = entry_of(1, b'{"choices":[{"message":{"content":"42"}}]}' * 40, wall=scene.clock.wall())
    frame = encode(entry, 1_000_000)
    changed = wrong = raised = 0
    until = scene.clock.wall() + HOUR
    for _ in range(turns):
        spoilt = bytearray(frame)
        for _ in range(luck.randrange(1, 6)):
            spoilt[luck.randrange(len(spoilt))] ^= luck.randrange(1, 256)
        if luck.random() < 0.2:
            del spoilt[luck.randrange(len(spoilt)) :]
        changed += bytes(spoilt) != frame
        await store.put(entry.key, bytes(spoilt), until)
        try:
            found = await scene.answers.later(entry.key, scene.clock.now() + _DEADLINE_US)
        except Exception:  # noqa: BLE001 - that there is none is what is proved
            raised += 1
            continue
        wrong += found is not None and (found.body != entry.body or bytes(spoilt) != frame)
    counts = scene.answers.standings()[1].counts
    await scene.answers.close()
    return changed, counts.corrupt, wrong, raised


async def _all_spoilt(work: Path, turns: int) -> list[tuple[str, tuple[int, int, int, int]]]:
    server, clock = Valkey(), SystemClock()
    stores: list[tuple[str, AnswerStore, int]] = [
        ("memory", ScriptedStore("scripted"), turns * 10),
        ("disk", Disk(work / NAME, 1 << 24, clock, Told()), turns),
        ("redis", Redis(server.url, "prove", 5_000_000), turns),
    ]
    try:
        return [(name, await _spoilt(store, times)) for name, store, times in stores]
    finally:
        server.close()


def spoilt(context: Context, row: Row) -> None:
    """Frames with bytes changed or cut off, in each store: none is an answer, none raises, all are dropped."""
    turns = 500 if context.quick else 10_000
    row.commands.append(f"{turns * 12:,} frames with 1 to 5 bytes changed, a fifth of them cut off too")
    with tempfile.TemporaryDirectory(dir=context.work) as folder:
        for name, (changed, corrupt, wrong, raised) in uvloop.run(_all_spoilt(Path(folder), turns)):
            row.figures += [
                exactly(f"{name}: wrong answers, and exceptions", wrong + raised, 0),
                at_least(f"{name}: frames found out", corrupt / max(1, changed) * 100, 99, "%", f"of {changed:,}"),
            ]  # fmt: skip


class Lru:
    """What S3-FIFO is compared with: the least recently used goes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._known: OrderedDict[int, None] = OrderedDict()

    def ask(self, number: int) -> bool:
        hit = number in self._known
        self._known[number] = None
        self._known.move_to_end(number)
        if len(self._known) > self._room:
            self._known.popitem(last=False)
        return hit


class Ours:
    """The gate's memory, with its ghosts paid for, for so many answers of the same size."""

    def __init__(self, room: int) -> None:
        self._memory = Memory(room * (entry_of(0, b"", wall=0).size + PLACE_BYTES))

    def ask(self, number: int) -> bool:
        if self._memory.get(key_of(number)) is not None:
            return True
        self._memory.put(entry_of(number, b"", wall=0))
        return False


def trace(skew: float, objects: int, length: int, scan: int) -> list[int]:
    """Zipf; after every 1,000 a run of `scan` that nobody asks for again."""
    luck = random.Random(3)
    weights = list(accumulate([1 / (rank + 1) ** skew for rank in range(objects)]))
    asked = luck.choices(range(objects), cum_weights=weights, k=length)
    mixed, fresh = list[int](), objects
    for start in range(0, length, 1_000):
        mixed += asked[start : start + 1_000]
        mixed += range(fresh, fresh + scan)
        fresh += scan
    return mixed


def resistant(context: Context, row: Row) -> None:
    """Hits of S3-FIFO beside LRU on Zipf traces, with scans and without."""
    objects, length = 5_000, 30_000 if context.quick else 100_000
    row.commands.append(f"Zipf over {objects:,} answers, {length:,} calls, runs of 700 that nobody asks for again")
    for scan in (0, 700):
        for skew in (0.8, 1.0):
            for share in (0.02, 0.1):
                asked = trace(skew, objects, length, scan)
                room = int(objects * share)
                ours, theirs = (sum(map(one.ask, asked)) / len(asked) * 100 for one in (Ours(room), Lru(room)))
                name = f"hits: skew {skew}, {share:.0%} fit, {'with scans' if scan else 'no scans'}"
                row.figures.append(at_least(name, ours, theirs, "%", "target: LRU's"))


ROWS = (
    (
        "A store that is down, frozen or damaged: calls go on within the deadline, corrupt entries are dropped",
        (failing, spoilt, passing("tests/cache", name="stores and layers: tests passed")),
    ),
    ("Memory stays within its bound with 1 M distinct calls, and scans push out nobody", (bounded, resistant)),
)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()
