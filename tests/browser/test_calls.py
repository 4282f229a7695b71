"""The page Calls: calls appear as they end, and nobody asks for them."""

import pytest
from playwright.async_api import Request, expect

from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import words

pytestmark = pytest.mark.timeout(120)
MODEL = "claude-3-haiku"


async def test_calls_are_followed_by_a_stream(visits: Visits, room: Room) -> None:
    """One that ends while somebody looks is shown; one stream is opened, and the tail is not asked."""
    seen = await visits()
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/calls/" in request.url:
            asked.append(request.url.partition("/admin/v1")[2].partition("?")[0])

    seen.page.on("request", note)
    await seen.open(f"/calls?model={MODEL}")
    await seen.heading(words("en", "calls")["title"])
    rows = seen.page.get_by_role("row").filter(has_text=MODEL)
    await expect(rows.first).to_be_visible()
    before = await rows.count()
    assert await room.call(MODEL) == 200
    await expect(rows).to_have_count(before + 1)
    assert asked == ["/calls/stream"]
    seen.quiet()
