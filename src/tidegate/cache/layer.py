"""One layer beyond memory, which may be slow, frozen, full or gone: nobody waits for it longer than its time-out.

Reads and writes have a breaker each: so a full disk does not stop what can still be read. Writes wait in a queue that
is bounded by number and bytes, and are made one after the other, in their order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol, TypeVar

from tidegate.cache.breaker import Breaker, Try
from tidegate.cache.counts import Counts, Standing
from tidegate.cache.mark import MARK_US, mark, rank_of
from tidegate.cache.write import Write, read
from tidegate.model.cached import CacheEntry
from tidegate.ports import AnswerStore, Clock, MarkingStore, StoreError, StoreLate

WRITE_FACTOR = 10  # nobody waits for a write: it may take so many time-outs
MAX_WRITES = 10_000
MAX_WRITE_BYTES = 33_554_432

T = TypeVar("T")
Found = CacheEntry | int | None


class Log(Protocol):
    """Where trouble is told."""

    def info(self, event: str, **fields: object) -> None:
        """One line: all is well again."""

    def warning(self, event: str, **fields: object) -> None:
        """One line."""


class Layer:
    """A store behind time-out, breakers and a queue. Only `asyncio.CancelledError` leaves it: nothing it does fails."""

    __slots__ = (
        "_clock", "_left", "_log", "_reads", "_store", "_timeout_us", "_told", "_waiting", "_waiting_bytes",
        "_writer", "_writes", "counts", "marks",
    )  # fmt: skip

    def __init__(self, store: AnswerStore, timeout_us: int, clock: Clock, log: Log) -> None:
        self.counts = Counts()
        self._store = store
        self._timeout_us = timeout_us
        self._clock = clock
        self._log = log
        self._reads = Breaker()
        self._writes = Breaker()
        self._told = ""  # the trouble that was told and is not over
        self._waiting: deque[Write] = deque()
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self.marks = isinstance(store, MarkingStore)
        self._left: set[asyncio.Task[object]] = set()  # what took too long, and has not heard of it yet

    @property
    def standing(self) -> Standing:
        """How it stands."""
        entries, held = self._store.holds
        return Standing(self._store.name, self.counts, entries, held, 0, not self._reads.out)

    async def get(self, key: bytes, until: int) -> CacheEntry | None:
        """What it holds under this key, None by `until` (monotonic), or its time-out, at the latest."""
        found = await self._guarded(partial(self._read, key), until)
        return found if isinstance(found, CacheEntry) else None

    async def look(self, key: bytes, until: int, rank: int) -> CacheEntry | int | None:
        """As `get`, and who is making it: True = we, from now on; a number = another gate, for a call of this rank."""
        return await self._guarded(partial(self._claim, key, rank) if self.marks else partial(self._read, key), until)

    async def _guarded(self, work: Callable[[], Coroutine[object, object, Found]], until: int) -> Found:
        now = self._clock.now()
        limit = min(until, now + self._timeout_us)
        breaker = self._reads
        if limit <= now or breaker.closed(now):
            return None
        self.counts.gets += 1
        one = breaker.enter(now)
        try:
            found = await self._within(work(), limit)
        except (TimeoutError, StoreLate):
            self.counts.timeouts += 1
            self.counts.errors += 1
            if limit - now < self._timeout_us // 2:
                breaker.abandon(one)  # it was the caller who had no time
            else:
                self._fail(breaker, one, "it does not answer in time")
            return None
        except Exception as error:  # noqa: BLE001 - whatever the store does, the call goes on
            self.counts.errors += 1
            self._fail(breaker, one, _words(error))
            return None
        except BaseException:
            breaker.abandon(one)
            raise
        self._succeed(breaker, one)
        self.counts.hits += isinstance(found, CacheEntry)
        return found

    def offer(self, write: Write) -> None:
        """Have it written when its turn comes; or not, when too much waits or the layer is out."""
        full = len(self._waiting) >= MAX_WRITES or self._waiting_bytes + write.size > MAX_WRITE_BYTES
        if full or self._writes.closed(self._clock.now()):
            self.counts.dropped += 1
            return
        self._waiting.append(write)
        self._waiting_bytes += write.size
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self, until: int) -> None:
        """Write what waits until that moment (monotonic), then let go of the store."""
        writer = self._writer
        try:
            if writer is not None:
                await self._within(asyncio.wait({writer}), until)
        except TimeoutError:
            self.counts.dropped += len(self._waiting)
            self._waiting.clear()
        for task in (writer, *self._left):
            if task is not None:
                task.cancel()
        try:
            await self._within(self._store.close(), max(until, self._clock.now() + self._timeout_us))
        except Exception as error:  # noqa: BLE001 - it ends all the same
            self._tell(_words(error))

    async def _claim(self, key: bytes, rank: int) -> CacheEntry | int | None:
        store = self._store
        if not isinstance(store, MarkingStore):
            return await self._read(key)
        frame = await store.claim(key, mark(rank), MARK_US)
        if frame is None:
            return True
        made_for = rank_of(frame)
        return await self._decoded(key, frame) if made_for is None else made_for

    async def _read(self, key: bytes) -> CacheEntry | None:
        frame = await self._store.get(key)
        return None if frame is None or rank_of(frame) is not None else await self._decoded(key, frame)

    async def _decoded(self, key: bytes, frame: bytes) -> CacheEntry | None:
        try:
            entry = await read(frame)
        except ValueError:
            self._spoilt(key)
            return None
        if entry.key != key:
            self._spoilt(key)
            return None
        return entry

    def _spoilt(self, key: bytes) -> None:
        self.counts.corrupt += 1
        self.offer(Write(key, None, 0))

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                write = self._waiting.popleft()
                self._waiting_bytes -= write.size
                await self._write(write)
        finally:
            self._writer = None

    async def _write(self, write: Write) -> None:
        now, breaker = self._clock.now(), self._writes
        if breaker.closed(now):
            self.counts.dropped += 1
            return
        one = breaker.enter(now)
        self.counts.writes += 1
        try:
            await self._within(self._put(write), now + WRITE_FACTOR * self._timeout_us)
        except (TimeoutError, StoreLate):
            self.counts.timeouts += 1
            self.counts.errors += 1
            self._fail(breaker, one, "it does not take answers in time")
        except Exception as error:  # noqa: BLE001 - whatever the store does, the next one is tried
            self.counts.errors += 1
            self._fail(breaker, one, _words(error))
        except BaseException:
            breaker.abandon(one)
            raise
        else:
            self._succeed(breaker, one)

    async def _put(self, write: Write) -> None:
        entry = write.entry
        if entry is None:
            await self._store.drop(write.key)
            return
        frame = await write.frame(entry)
        await self._store.put(write.key, frame, max(entry.fresh_until_us, entry.stale_until_us))

    def _fail(self, breaker: Breaker, one: Try, problem: str) -> None:
        breaker.fail(one, self._clock.now())
        if breaker.out:
            self._tell(problem)

    def _succeed(self, breaker: Breaker, one: Try) -> None:
        breaker.succeed(one)
        if self._told and not (self._reads.out or self._writes.out):
            self._told = ""
            self._log.info("a layer of the cache is in use again", layer=self._store.name)

    def _tell(self, problem: str) -> None:
        """Once, until it is over."""
        if not self._told:
            self._told = problem
            self._log.warning("a layer of the cache fails: calls go on without it", layer=self._store.name,
                              problem=problem)  # fmt: skip

    async def _within(self, work: Coroutine[object, object, T], until: int) -> T:
        """What the work returns or raises; `TimeoutError` at that moment, whether it hears of it or not."""
        loop = asyncio.get_running_loop()
        task, over = loop.create_task(work), loop.create_future()
        task.add_done_callback(partial(_finish, over))
        timer = self._clock.call_at(until, partial(_finish, over))
        try:
            await over
        finally:
            timer.cancel()
            if not task.done():
                task.cancel()
                self._left.add(task)
                task.add_done_callback(self._ended)
        if not task.done():
            raise TimeoutError
        return task.result()

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more


def _finish(over: "asyncio.Future[None]", _task: object = None) -> None:
    if not over.done():
        over.set_result(None)


def _words(error: Exception) -> str:
    """A store's own words; of a defect its name alone."""
    return str(error) if isinstance(error, StoreError) else f"the gate failed ({type(error).__name__})"
