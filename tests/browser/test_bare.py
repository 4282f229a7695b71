"""A gate that has nothing yet but a provider: each page says so, and how it would have it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.twin import Twin
from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import pages, words

pytestmark = pytest.mark.timeout(120)
BARE = "providers: {{openai: {{dialect: openai, base_url: '{openai}', scopes: [{{name: main, keys: [sk-bare]}}]}}}}\n"


@pytest_asyncio.fixture(loop_scope="session")
async def bare(chromium_path: str, room_twin: Twin, tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path, room_twin, BARE)
    yield room
    await room.close()


async def test_no_page_takes_it_for_a_fault(bare: Room, opens: Visits) -> None:
    """Nothing is refused behind the page, and axe finds nothing serious."""
    seen = await opens(bare, bare.token)
    found = {}
    for name, path in pages().items():
        await seen.open(path)
        await seen.heading(words("en", name)["title"])
        await seen.settled()
        found[name] = await seen.axe()
    assert {name: faults for name, faults in found.items() if faults} == {}
    seen.quiet()
