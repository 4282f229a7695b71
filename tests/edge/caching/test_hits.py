"""Hits on their way to the journal."""

from typing import Any

import pytest

from tests.edge.cached import CachedDoor
from tests.edge.caching.test_cache import made
from tidegate.model.facts import Fact, Hits


class Narrow:
    """A journal whose segments hold `room` hits or notes at a time."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.facts: list[Hits] = []

    def append(self, fact: Fact) -> None:
        if isinstance(fact, Hits):
            if len(fact.hits) + len(fact.notes) > self.room:
                raise ValueError("too large")
            self.facts.append(fact)


@pytest.mark.parametrize(("room", "kept", "lost"), [(100, 7, 0), (3, 7, 0), (1, 7, 0), (0, 0, 8)])
async def test_small_segments_lose_nothing_that_fits(
    room: int, kept: int, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    """They are written in as many facts as it takes, in their order; what never fits is told."""
    door = CachedDoor()
    await made(door)
    cache = door.cache
    narrow: Any = Narrow(room)
    cache.hits._journal = narrow
    for _ in range(7):
        door.chat()
    cache.hits.flush()
    written = [hit for fact in narrow.facts for hit in fact.hits]
    assert len(written) == kept
    assert [hit.call_id for hit in written] == sorted(hit.call_id for hit in written)
    assert sum(record.levelname == "WARNING" for record in caplog.records) == lost
