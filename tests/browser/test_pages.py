"""Every page in every language and theme: it opens, says what it is, complains of nothing and can be used by all."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.words import LANGS, pages, words


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", pages())
async def test_a_page(visits: Visits, name: str, lang: str) -> None:
    """Its heading is of the language, in both themes axe finds nothing serious, and no other host is asked."""
    seen = await visits(lang)
    await seen.open(pages()[name])
    await seen.heading(words(lang, name)["title"])
    await seen.settled()
    html = seen.page.locator("html")
    await expect(html).to_have_attribute("lang", lang)
    await expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    found = {"light": await seen.axe()}
    await seen.page.emulate_media(color_scheme="dark")
    await expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    found["dark"] = await seen.axe()
    assert found == {"light": [], "dark": []}
    seen.quiet()


@pytest.mark.parametrize("name", pages())
async def test_the_keyboard_reaches_it(visits: Visits, name: str) -> None:
    """The first stop leads past the navigation, and what is focused next lies in the page."""
    seen = await visits()
    await seen.open(pages()[name])
    await seen.heading(words("en", name)["title"])
    await seen.settled()
    await seen.page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # as from the address
    await seen.page.keyboard.press("Tab")
    skip = seen.page.get_by_role("link", name=words("en", "shell")["skip"])
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await seen.page.keyboard.press("Enter")
    await seen.page.keyboard.press("Tab")
    assert await seen.page.evaluate("document.querySelector('#main').contains(document.activeElement)")
    seen.quiet()
