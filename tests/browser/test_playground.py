"""A prompt of the playground, in either dialect: its chain grows while the answer comes, and is whole after it."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import words

pytestmark = pytest.mark.timeout(120)
MODELS = {"OpenAI": "gpt-3.5-turbo", "Anthropic": "claude-3-haiku"}
_WATCHED = """() => {
    window.stages = [];
    new MutationObserver(() => {
        const shown = [...document.querySelectorAll("li[data-step]")].map(one => one.dataset.step);
        if (shown.length) window.stages.push(shown);
    }).observe(document.querySelector("main"), {childList: true, subtree: true});
}"""


@pytest.mark.parametrize("dialect", MODELS)
async def test_a_call_is_watched_live(visits: Visits, room: Room, dialect: str) -> None:
    """Who answers and the first words are shown before the end, in this order; then the ledger's chain instead."""
    said, chain = words("en", "playground"), words("en", "calls")["chain"]
    seen = await visits()
    await seen.open("/playground")
    await seen.heading(said["title"])
    await seen.settled()
    await seen.page.get_by_role("radiogroup", name=said["dialect"]).get_by_text(dialect, exact=True).click()
    await seen.page.get_by_role("combobox", name=said["model"]).fill(MODELS[dialect])
    await seen.page.get_by_role("textbox", name=said["message"]).fill("Say it slowly")
    await seen.page.evaluate(_WATCHED)
    room.twin.fault({"fault": "stall", "at": "content", "ms": 1_000, "match": {"model": MODELS[dialect]}, "count": 1})
    await seen.page.get_by_role("button", name=said["send"], exact=True).click()
    await expect(seen.page.get_by_role("heading", name=chain, exact=True)).to_be_visible()
    room.twin.fault()
    stages = await seen.page.evaluate("window.stages")
    assert ["sent", "waiting"] in stages
    assert any(one[0] == "sent" and "head" in one and "end" not in one for one in stages), stages
    assert any(one[-2:] == ["first", "events"] for one in stages), stages
    await expect(seen.page.get_by_role("heading", name=said["live"], exact=True)).to_have_count(0)
    assert await seen.axe() == []
    assert [
        one for one in seen.complaints if not ("404" in one and "/calls/" in one)
    ] == []  # it may be asked too early
    assert seen.strangers == []
