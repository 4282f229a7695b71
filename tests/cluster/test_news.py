"""What one process calls out all others hear, in order; and who may have missed something is told so."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from harness.servers.valkey import Valkey
from tidegate.clock import SystemClock
from tidegate.cluster.client import StoreClient
from tidegate.cluster.news import News
from tidegate.cluster.url import parse

PATIENCE = 20.0


@pytest.fixture
def server() -> Iterator[Valkey]:
    running = Valkey()
    yield running
    running.close()


class Reader:
    """Follows the news, and keeps what it heard."""

    def __init__(self, news: News) -> None:
        self.words: list[tuple[bytes, bytes]] = []
        self.missed = 0
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(news.follow(self._hear, self._miss))

    def _hear(self, kind: bytes, payload: bytes) -> None:
        self.words.append((kind, payload))
        self._changed.set()

    def _miss(self) -> None:
        self.missed += 1
        self._changed.set()

    async def until(self, words: int = 0, missed: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.words) < words or self.missed < missed:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def pair(server: Valkey) -> AsyncIterator[tuple[News, Reader]]:
    clock = SystemClock()
    client = StoreClient(parse(server.url), clock, 1_000_000)
    news = News(client, "tests", clock)
    reader = Reader(news)
    await reader.until()
    yield news, reader
    reader.task.cancel()
    client.close()


async def test_words_are_heard_in_order(pair: tuple[News, Reader]) -> None:
    """From the moment at which somebody listens; what was called out before is nobody's."""
    news, reader = pair
    for number in range(20):
        assert await news.tell(b"kind", b"%d" % number)
    await reader.until(words=20)
    assert reader.words == [(b"kind", b"%d" % number) for number in range(20)]
    late = Reader(news)
    await late.until()
    await news.tell(b"kind", b"last")
    await late.until(words=1)
    assert late.words == [(b"kind", b"last")]
    late.task.cancel()


async def test_who_was_cut_off_is_told_and_hears_on(server: Valkey, pair: tuple[News, Reader]) -> None:
    """Nothing is known of what was said meanwhile: look yourself."""
    news, reader = pair
    server.kill()
    assert not await news.tell(b"kind", b"lost")
    server.start()
    await reader.until(missed=2)
    async with asyncio.timeout(PATIENCE):
        while not await news.tell(b"kind", b"new"):
            pass
    await reader.until(words=1, missed=2)
    assert reader.words == [(b"kind", b"new")]


async def test_an_emptied_server_is_listened_to(server: Valkey, pair: tuple[News, Reader]) -> None:
    """FLUSHALL takes the stream; the next word makes it anew."""
    news, reader = pair
    await news.tell(b"kind", b"one")
    await reader.until(words=1)
    server.command("FLUSHALL")
    await news.tell(b"kind", b"two")
    await reader.until(words=2)
    assert reader.words == [(b"kind", b"one"), (b"kind", b"two")]


class Returning(SystemClock):
    """A server is away until somebody waits for it."""

    def __init__(self, server: Valkey) -> None:
        super().__init__()
        self.server = server
        self.waited = 0

    async def sleep(self, duration: int) -> None:
        """Wait, with the server behind it."""
        self.waited += 1
        if self.waited == 1:
            self.server.start()
        await super().sleep(duration)


async def test_who_insists_is_heard_by_a_server_that_was_away_for_a_moment(server: Valkey) -> None:
    """What one try cannot call out another does."""
    server.kill()
    clock = Returning(server)
    client = StoreClient(parse(server.url), clock, 1_000_000)
    assert await News(client, "tests", clock).insist(b"kind")
    assert clock.waited
    client.close()


async def test_it_is_known_whether_somebody_listens(server: Valkey, pair: tuple[News, Reader]) -> None:
    """Who does not looks by itself more often."""
    news, reader = pair
    assert news.listening
    server.kill()
    async with asyncio.timeout(PATIENCE):
        while news.listening:
            await asyncio.sleep(0)
    server.start()
    await reader.until(missed=2)
    assert news.listening
