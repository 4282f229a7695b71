"""A real Valkey server that is stopped, killed, full or forbidden: calls go on within their deadline."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from harness.servers.redis import Server
from harness.servers.valkey import Valkey
from tidegate.cache.answers import Answers
from tidegate.cache.breaker import LONGEST_PAUSE_US
from tidegate.cache.memory import Memory
from tidegate.cache.redis import Redis
from tidegate.clock import SystemClock
from tidegate.model.cached import CacheEntry
from tidegate.model.caching import CacheSettings
from tidegate.ports import StoreError
from tidegate.testing.clock import SECOND
from tidegate.testing.kept import HOUR, NothingPurged, Told, entry_of, key_of

TIMEOUT = 100_000
PATIENCE = 60.0  # of a test, on a machine that is busy


class Shifted(SystemClock):
    """The system's clock, which can be moved on: a breaker's pause need not be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Scene:
    """Answers over Redis alone."""

    def __init__(self, url: str, told: Told) -> None:
        self.clock = Shifted()
        self.told = told
        self.memory = Memory(1 << 24)
        settings = CacheSettings(redis_timeout_us=TIMEOUT)
        self.answers = Answers(self.memory, [Redis(url, "test", TIMEOUT)], settings, NothingPurged(), self.clock, told)

    def entry(self, number: int) -> CacheEntry:
        return entry_of(number, b'{"n":%d}' % number, wall=self.clock.wall())

    async def later(self, number: int = 1) -> CacheEntry | None:
        self.memory.clear()
        return await self.answers.later(key_of(number), self.clock.now() + 10 * SECOND)

    async def written(self, number: int) -> None:
        """Keep it, until the server has it."""
        limit = time.monotonic() + PATIENCE
        while await self.later(number) is None:
            assert time.monotonic() < limit, self.told.lines
            self.answers.keep(self.entry(number))
            self.clock.ahead += LONGEST_PAUSE_US
            await asyncio.sleep(0)

    @property
    def counts(self) -> tuple[int, int]:
        counts = self.answers.standings()[1].counts
        return counts.gets, counts.timeouts


@pytest.fixture
async def scene(mortal_valkey: Valkey, told: Told) -> AsyncIterator[Scene]:
    made = Scene(mortal_valkey.url, told)
    yield made
    await made.answers.close()


async def test_a_frozen_server_holds_nobody_up(scene: Scene, mortal_valkey: Valkey) -> None:
    """Calls go on at the time-out; after three it is left alone; one call probes it; it serves when it goes on."""
    await scene.written(1)
    mortal_valkey.freeze()
    began = scene.counts
    for _ in range(3):
        assert await scene.later() is None
    for _ in range(50):
        assert await scene.later() is None
    assert [now - before for now, before in zip(scene.counts, began, strict=True)] == [3, 3]
    assert [line[0] for line in scene.told.lines] == ["warning"]
    scene.clock.ahead += LONGEST_PAUSE_US
    assert await asyncio.gather(*[scene.later() for _ in range(5)]) == [None] * 5
    assert scene.counts[0] - began[0] == 4
    mortal_valkey.freeze(signal.SIGCONT)
    await scene.written(2)
    assert await scene.later(1) is not None
    assert [line[0] for line in scene.told.lines] == ["warning", "info"]


async def test_a_killed_server_is_a_miss(scene: Scene, mortal_valkey: Valkey) -> None:
    """And one that comes back empty is used again."""
    await scene.written(1)
    mortal_valkey.kill()
    for _ in range(10):
        assert await scene.later() is None
    scene.answers.keep(scene.entry(2))
    assert scene.answers.now(key_of(2)) is not None
    assert "cannot be reached" in str(scene.told.lines[0][2]["problem"])
    mortal_valkey.start()
    await scene.written(3)
    assert await scene.later(1) is None
    assert [line[0] for line in scene.told.lines] == ["warning", "info"]


async def test_a_server_that_stops_in_the_middle_mixes_up_nothing(scene: Scene, mortal_valkey: Valkey) -> None:
    """Calls that gave up leave no reply behind that another would take for its own."""
    for number in range(40):
        await scene.written(number)
    for turn in range(4):
        mortal_valkey.freeze()
        await asyncio.gather(*[scene.later(number) for number in range(20)])
        mortal_valkey.freeze(signal.SIGCONT)
        scene.clock.ahead += LONGEST_PAUSE_US
        await scene.written(100 + turn)
        for number in range(40):
            found = await scene.later(number)
            assert found is None or found.body == b'{"n":%d}' % number
    assert scene.answers.standings()[1].counts.corrupt == 0


async def test_a_spoilt_value_is_dropped(scene: Scene, mortal_valkey: Valkey) -> None:
    """Whoever wrote it: somebody else's text, or a value of another kind."""
    await scene.written(1)
    name = "test:answers:1:" + key_of(1).hex()
    assert mortal_valkey.command("EXISTS", name) == 1
    mortal_valkey.command("SET", name, "somebody else's")
    assert await scene.later() is None
    await scene.answers.close()
    assert mortal_valkey.command("EXISTS", name) == 0
    assert scene.answers.standings()[1].counts.corrupt == 1


async def test_the_server_forgets_in_time(valkey: Server) -> None:
    """The moment is the server's to keep, in milliseconds; a prefix keeps gates apart."""
    store, other = Redis(valkey.url, "one", 5 * SECOND), Redis(valkey.url, "two", 5 * SECOND)
    until = time.time_ns() // 1_000 + HOUR
    await store.put(key_of(1), b"frame", until)
    assert await other.get(key_of(1)) is None
    reply = valkey.command("PEXPIRETIME", "one:answers:1:" + key_of(1).hex())
    assert reply == until // 1_000
    await store.close()
    await other.close()


@pytest.fixture
def full() -> Iterator[Valkey]:
    server = Valkey("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
    yield server
    server.close()


async def test_a_full_server_is_read(full: Valkey) -> None:
    """It says that it is full; what it has can be read."""
    store = Redis(full.url, "test", 5 * SECOND)
    until = time.time_ns() // 1_000 + HOUR
    kept = 0
    with pytest.raises(StoreError, match="no memory left"):
        for kept in range(1_000):
            await store.put(key_of(kept), bytes(50_000), until)
    assert kept > 0
    assert await store.get(key_of(0)) == bytes(50_000)
    await store.close()


@pytest.fixture
def closed() -> Iterator[Valkey]:
    server = Valkey("--requirepass", "secret-of-the-server")
    yield server
    server.close()


async def test_a_refusal_says_why_and_no_secret(closed: Valkey) -> None:
    """A wrong password, none, and a user that may not."""
    for url in (closed.url, closed.url + "?password=secret-guess"):
        store = Redis(url, "test", 5 * SECOND)
        with pytest.raises(StoreError, match="Redis") as caught:
            await store.get(key_of(1))
        assert "secret" not in str(caught.value)
        assert "password" in str(caught.value)
        await store.close()
    store = Redis(closed.url + "?password=secret-of-the-server", "test", 5 * SECOND)
    assert await store.get(key_of(1)) is None
    await store.close()


async def test_a_server_that_never_was_is_told() -> None:
    """As a layer's error, each time."""
    for url in ("unix:///nowhere/at/all", "redis://127.0.0.1:1/0"):
        store = Redis(url, "test", 5 * SECOND)
        for _ in range(2):
            with pytest.raises(StoreError, match="cannot be reached"):
                await store.get(key_of(1))
        await store.close()


@pytest.mark.parametrize("url", ["http://x", "localhost:6379", ""])
async def test_what_is_no_url_of_redis_is_refused(url: str) -> None:
    """Where it is made, with what is expected."""
    with pytest.raises(ValueError, match="redis://"):
        Redis(url, "test", TIMEOUT)


async def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is imported only where Redis is configured."""
    monkeypatch.setitem(__import__("sys").modules, "redis.asyncio", None)
    with pytest.raises(ValueError, match=r"pip install 'tidegate\[redis\]'"):
        Redis("redis://localhost", "test", TIMEOUT)


async def test_many_ask_at_once(valkey: Server) -> None:
    """More than there are connections."""
    store = Redis(valkey.url, "test", 20 * SECOND)
    await store.put(key_of(1), b"frame", time.time_ns() // 1_000 + HOUR)
    assert await asyncio.gather(*[store.get(key_of(1)) for _ in range(500)]) == [b"frame"] * 500
    await store.close()
