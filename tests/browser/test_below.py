"""What lies below the pages: single calls, jobs, alerts and tenants, every tab, and the way in."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import BELOW, words

pytestmark = pytest.mark.timeout(180)
LOOKS = [(lang, theme) for theme in ("light", "dark") for lang in ("en", "zh-CN")]


@pytest.mark.parametrize(("number", "place"), list(enumerate(BELOW)))
async def test_a_place_below_a_page(visits: Visits, room: Room, number: int, place: str) -> None:
    """It opens by its address, in both themes axe finds nothing serious, nobody complains. Languages take turns."""
    lang, theme = LOOKS[number % len(LOOKS)]
    seen = await visits(lang, theme)
    await seen.open(await room.below(place))
    await expect(seen.page.get_by_role("heading", level=1)).to_be_visible()
    await expect(seen.page.get_by_text(words(lang, "shell")["not_found"])).to_have_count(0)
    await seen.settled()
    html = seen.page.locator("html")
    await expect(html).to_have_attribute("lang", lang)
    await expect(html).to_have_attribute("data-mantine-color-scheme", theme)
    found = await seen.axe()
    other = "dark" if theme == "light" else "light"
    await seen.page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    await expect(html).to_have_attribute("data-mantine-color-scheme", other)
    assert (found, await seen.axe()) == ([], [])
    seen.quiet()


@pytest.mark.parametrize(("lang", "theme"), LOOKS)
async def test_the_way_in(opens: Visits, room: Room, lang: str, theme: str) -> None:
    """Who has no cookie is asked for a token, also below a page, and nothing but that nobody is signed in is said."""
    seen = await opens(room, lang=lang, theme=theme)
    await seen.open("/settings/audit")
    await seen.heading("Tidegate")
    said = words(lang, "signin")
    await expect(seen.page.get_by_role("textbox", name=said["token"])).to_be_visible()
    await expect(seen.page.get_by_role("button", name=said["reveal"], exact=True)).to_be_visible()
    assert await seen.axe() == []
    assert [one for one in seen.complaints if "401" not in one] == []
    assert seen.strangers == []
