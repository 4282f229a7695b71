"""One of several gates makes an answer that all of them may keep in the same Valkey."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from harness.servers.redis import Server
from tidegate.cache import layer, layers
from tidegate.cache.answers import Answers
from tidegate.cache.memory import Memory
from tidegate.cache.redis import Redis
from tidegate.clock import SystemClock
from tidegate.model.cached import CacheEntry
from tidegate.model.caching import CacheSettings
from tidegate.testing.clock import SECOND
from tidegate.testing.kept import NothingPurged, Told, entry_of, key_of

TIMEOUT = SECOND
PAID, FREE = 1, 2  # ranks: the lowest goes first


class Gates:
    """Two, each with a memory of its own."""

    def __init__(self, url: str, told: Told) -> None:
        self.clock = SystemClock()
        settings = CacheSettings(redis_timeout_us=TIMEOUT)
        self.answers = [
            Answers(Memory(1 << 24), [Redis(url, "test", TIMEOUT)], settings, NothingPurged(), self.clock, told)
            for _ in range(2)
        ]

    def entry(self) -> CacheEntry:
        return entry_of(1, b'{"n":1}', wall=self.clock.wall())

    async def lead(self, gate: int, rank: int = PAID, patience: int = 10 * SECOND) -> Any:
        return await self.answers[gate].lead(key_of(1), self.clock.now() + 20 * SECOND, rank, patience)


@pytest.fixture
async def gates(valkey: Server, told: Told) -> AsyncIterator[Gates]:
    made = Gates(valkey.url, told)
    yield made
    for one in made.answers:
        await one.close()


async def test_the_second_waits_for_what_the_first_makes(gates: Gates) -> None:
    """And is given it; nobody else is to make it."""
    assert await gates.lead(0) is True
    waiting = asyncio.create_task(gates.lead(1))
    await asyncio.sleep(0)
    entry = gates.entry()
    gates.answers[0].keep(entry)
    assert (await waiting).body == entry.body


async def test_a_miss_costs_one_command(gates: Gates, valkey: Server) -> None:
    """As many as without marks."""
    assert await gates.lead(0, patience=0) is True
    valkey.command("CONFIG", "RESETSTAT")
    assert await gates.lead(1, patience=0) is False
    stats = valkey.info("commandstats")
    assert stats["cmdstat_set"]["calls"] == 1
    assert "cmdstat_get" not in stats


async def test_what_is_not_kept_is_made_by_who_waits(gates: Gates) -> None:
    """As soon as that is known."""
    assert await gates.lead(0) is True
    waiting = asyncio.create_task(gates.lead(1))
    await asyncio.sleep(0)
    gates.answers[0].unled(key_of(1))
    assert await waiting is True


async def test_nobody_waits_for_a_lower_tier_or_beyond_its_patience(gates: Gates) -> None:
    """Then it is asked for as if nobody else did, and others go on waiting for the first."""
    assert await gates.lead(0, FREE) is True
    assert await gates.lead(1, PAID) is False
    assert await gates.lead(1, FREE, patience=layers.LEAST_LOOK_US) is False


async def test_a_gate_that_died_is_waited_for_as_long_as_its_mark(
    gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the next one makes it."""
    monkeypatch.setattr(layer, "MARK_US", 50_000)
    assert await gates.lead(0) is True
    assert await gates.lead(1) is True


async def test_a_mark_is_no_answer(gates: Gates) -> None:
    """Who only looks finds nothing, and leaves it."""
    assert await gates.lead(0) is True
    later = gates.answers[1].later(key_of(1), gates.clock.now() + SECOND)
    assert await later is None
    assert await gates.lead(1, patience=0) is False


async def test_a_server_that_cannot_marks_nothing(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 7.0 `NX` and `GET` are not taken together: it is asked as before."""
    store: Any = gates.answers[0]._layers._layers[0]._store
    execute = store._client.execute_command

    async def old(*command: object, **options: object) -> object:
        if "NX" in command:
            return await execute("SET", "a", "b", "NX", "XX")
        return await execute(*command, **options)

    monkeypatch.setattr(store._client, "execute_command", old)
    assert await gates.lead(0) is not None
    entry = gates.entry()
    gates.answers[1].keep(entry)
    await gates.answers[1].close()
    found = await gates.lead(0)
    assert isinstance(found, CacheEntry)
