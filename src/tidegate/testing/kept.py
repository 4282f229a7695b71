"""What every `ports.AnswerStore` must do, as a table that it is put to; and one that is scripted.

@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_it_is_an_answer_store(check: Check, store: AnswerStore) -> None:
    await check(store, clock.wall())
"""

import asyncio
from collections.abc import Awaitable, Callable

from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.ports import AnswerStore, StoreError

HOUR = 3_600_000_000
Check = Callable[[AnswerStore, int], Awaitable[None]]  # a store that is empty, and the time by its clock (1970, µs)

_ALL_BYTES = bytes(range(256))


def key_of(number: int) -> bytes:
    """A key: 32 bytes, none like another."""
    return number.to_bytes(16, "big") * 2


def entry_of(
    number: int,
    body: bytes = b'{"ok":true}',
    *,
    wall: int,
    ttl: int = HOUR,
    stale: int = 0,
    labels: Labels | None = None,
    streamed: bool = False,
) -> CacheEntry:
    """An answer that was stored now."""
    labels = labels or Labels("acme", "openai/gpt-4o", "gpt-4o")
    until = wall + ttl
    cost = Cost(10, 5, 1_000)
    return CacheEntry(
        key_of(number), "chat", "openai", body, streamed, (), labels, cost, number, wall, until, until + stale
    )


async def is_empty_at_first(store: AnswerStore, _wall: int) -> None:
    """What nobody put is not there."""
    assert await store.get(key_of(1)) is None


async def gives_back_what_was_put(store: AnswerStore, wall: int) -> None:
    """Byte for byte, whatever the bytes are and however many."""
    for number, frame in enumerate((b"", b"x", _ALL_BYTES, b"\r\n$-1\r\n\0", bytes(1_000), _ALL_BYTES * 200)):
        await store.put(key_of(number), frame, wall + HOUR)
        assert await store.get(key_of(number)) == frame


async def takes_any_key(store: AnswerStore, wall: int) -> None:
    """Keys are bytes: zeros, line ends and what is no text name an answer like any other."""
    keys = [bytes(32), b"\xff" * 32, b"\r\n" * 16, b"% _'\"*?" * 4 + b"1234", key_of(7)]
    for number, key in enumerate(keys):
        await store.put(key, b"%d" % number, wall + HOUR)
    assert [await store.get(key) for key in keys] == [b"%d" % number for number in range(len(keys))]


async def tells_keys_apart(store: AnswerStore, wall: int) -> None:
    """Keys that differ in one bit are two."""
    base = bytearray(key_of(9))
    await store.put(bytes(base), b"it", wall + HOUR)
    for bit in range(0, 256, 17):
        other = bytearray(base)
        other[bit // 8] ^= 1 << bit % 8
        assert await store.get(bytes(other)) is None


async def replaces(store: AnswerStore, wall: int) -> None:
    """The last one put is the one that is there, with its time."""
    await store.put(key_of(1), b"first", wall + HOUR)
    await store.put(key_of(1), b"second", wall + 2 * HOUR)
    assert await store.get(key_of(1)) == b"second"


async def forgets_in_time(store: AnswerStore, wall: int) -> None:
    """What is put with a moment that is past is not there, and ends what was there before."""
    await store.put(key_of(1), b"old", wall - 2_000)
    assert await store.get(key_of(1)) is None
    await store.put(key_of(2), b"young", wall + HOUR)
    await store.put(key_of(2), b"old", wall - 2_000)
    assert await store.get(key_of(2)) is None


async def drops(store: AnswerStore, wall: int) -> None:
    """What is dropped is gone, and nothing else; dropping what is not there is no error."""
    await store.put(key_of(1), b"one", wall + HOUR)
    await store.put(key_of(2), b"two", wall + HOUR)
    await store.drop(key_of(1))
    await store.drop(key_of(3))
    assert [await store.get(key_of(number)) for number in (1, 2)] == [None, b"two"]


async def serves_many_at_once(store: AnswerStore, wall: int) -> None:
    """Each of many callers gets its own answer."""
    await asyncio.gather(*[store.put(key_of(number), b"%d" % number, wall + HOUR) for number in range(100)])
    found = await asyncio.gather(*[store.get(key_of(number)) for number in range(100)])
    assert found == [b"%d" % number for number in range(100)]


async def survives_callers_that_leave(store: AnswerStore, wall: int) -> None:
    """A caller that is cancelled in the middle leaves nothing behind that the next one would take for its own."""
    for number in range(20):
        await store.put(key_of(number), b"%d" % number, wall + HOUR)
    loop = asyncio.get_running_loop()
    for turns in range(40):
        leaving = [loop.create_task(store.get(key_of(number))) for number in range(5)]
        for _ in range(turns % 8):
            await asyncio.sleep(0)  # noqa: TID251 - it takes no time of a clock
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        number = turns % 20
        assert await store.get(key_of(number)) == b"%d" % number


async def ends(store: AnswerStore, wall: int) -> None:
    """It can be closed twice; then it says that it is closed."""
    await store.put(key_of(1), b"one", wall + HOUR)
    await store.close()
    await store.close()
    for work in (store.get(key_of(1)), store.put(key_of(1), b"two", wall + HOUR), store.drop(key_of(1))):
        try:
            await work
        except StoreError:
            continue
        raise AssertionError("it is in use after its end")


async def says_who_it_is(store: AnswerStore, wall: int) -> None:
    """A short word for log and metrics, and how much it holds, or that it does not tell."""
    await store.put(key_of(1), b"one", wall + HOUR)
    assert store.name.isalpha()
    entries, held = store.holds
    assert entries in {-1, 1}
    assert held == -1 or held > 0


CHECKS: tuple[Check, ...] = (
    is_empty_at_first, gives_back_what_was_put, takes_any_key, tells_keys_apart, replaces, forgets_in_time, drops,
    serves_many_at_once, survives_callers_that_leave, ends, says_who_it_is,
)  # fmt: skip


def name_of(check: Check) -> str:
    """For the names of tests."""
    return getattr(check, "__name__", "check")


class ScriptedStore:
    """`ports.AnswerStore` in a dictionary, which fails or keeps silent when it is told to."""

    def __init__(self, name: str = "scripted") -> None:
        self._name = name
        self.frames: dict[bytes, bytes] = {}
        self.asked: list[tuple[str, bytes]] = []  # what, of which key
        self.problem = ""  # with which every call fails
        self.silent = False  # no call is answered until it is let go
        self.deaf = False  # as silent, and it does not hear that its caller has gone
        self.closed = False
        self.waiting = 0  # calls that are not answered and have not been given up
        self._answer = asyncio.Event()

    @property
    def name(self) -> str:
        """As it was called."""
        return self._name

    @property
    def holds(self) -> tuple[int, int]:
        """Frames and their bytes."""
        return len(self.frames), sum(map(len, self.frames.values()))

    def let_go(self) -> None:
        """Answer those that wait, and everybody from now on."""
        self.silent = self.deaf = False
        self._answer.set()
        self._answer = asyncio.Event()  # for the next silence

    async def get(self, key: bytes) -> bytes | None:
        """The frame."""
        await self._begin("get", key)
        return self.frames.get(key)

    async def put(self, key: bytes, frame: bytes, until_us: int) -> None:
        """Keep it, whatever the time."""
        await self._begin("put", key)
        self.frames[key] = frame

    async def drop(self, key: bytes) -> None:
        """Forget it."""
        await self._begin("drop", key)
        self.frames.pop(key, None)

    async def close(self) -> None:
        """It is closed."""
        self.closed = True

    async def _begin(self, what: str, key: bytes) -> None:
        self.asked.append((what, key))
        self.waiting += 1
        try:
            await self._wait()
        finally:
            self.waiting -= 1
        if self.problem:
            raise StoreError(self.problem)

    async def _wait(self) -> None:
        while self.silent or self.deaf:
            try:
                await self._answer.wait()
            except asyncio.CancelledError:
                if not self.deaf:
                    raise


class NothingPurged:
    """What was purged: nothing, or what is named here."""

    def __init__(self) -> None:
        self.namespaces: set[str] = set()

    def gone(self, entry: CacheEntry) -> bool:
        """Whether its namespace is named."""
        return entry.labels.namespace in self.namespaces


class Told:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []  # level, event, fields

    def info(self, event: str, **fields: object) -> None:
        """Keep one line."""
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        """Keep one line."""
        self.lines.append(("warning", event, fields))

    def error(self, event: str, **fields: object) -> None:
        """Keep one line."""
        self.lines.append(("error", event, fields))
