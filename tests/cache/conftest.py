"""Stores to test on: a fresh SQLite file, and a Valkey server of the run's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers import mortal_valkey, valkey, valkey_process
from tidegate.cache.disk import NAME, Disk
from tidegate.testing.clock import ManualClock
from tidegate.testing.kept import Told

__all__ = ["mortal_valkey", "valkey", "valkey_process"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def disk(tmp_path: Path, clock: ManualClock, told: Told) -> AsyncIterator[Disk]:
    """16 MiB in a file of its own."""
    store = Disk(tmp_path / NAME, 1 << 24, clock, told)
    yield store
    await store.close()
