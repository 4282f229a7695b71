"""Every store of kept answers is put to the same table."""

import time
from collections.abc import AsyncIterator

import pytest

from harness.servers.redis import Server
from tidegate.cache.disk import Disk
from tidegate.cache.redis import Redis
from tidegate.ports import AnswerStore
from tidegate.testing.clock import ManualClock
from tidegate.testing.kept import CHECKS, Check, name_of


@pytest.fixture
async def redis(valkey: Server) -> AsyncIterator[Redis]:
    store = Redis(valkey.url, "test", 5_000_000)
    yield store
    await store.close()


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_the_disk_is_an_answer_store(check: Check, disk: AnswerStore, clock: ManualClock) -> None:
    """An SQLite file, at the time of the gate's clock."""
    await check(disk, clock.wall())


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_redis_is_an_answer_store(check: Check, redis: AnswerStore) -> None:
    """A Valkey server, at its own time."""
    await check(redis, time.time_ns() // 1_000)


async def test_stores_are_told_apart(disk: Disk, redis: Redis) -> None:
    """In log and metrics, by the names that the settings have for them."""
    assert [disk.name, redis.name] == ["disk", "redis"]
