"""What the gate says in sentences, on the pages of somebody who reads Chinese."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import words

pytestmark = pytest.mark.timeout(300)


async def test_a_finding_is_told_in_the_language_of_the_page(opens: Visits, room: Room) -> None:
    """What is wrong with a policy, and what would be right: in Chinese, and in English again when that is chosen."""
    seen = await opens(room, room.token, lang="zh-CN")
    said = words("zh-CN", "policies")
    await seen.open("/policies")
    await seen.heading(said["title"])
    await seen.settled()
    text = seen.page.get_by_role("textbox", name=said["yaml_label"])
    await text.click()
    await seen.page.keyboard.press("Control+End")
    await seen.page.keyboard.press("Enter")
    await seen.page.keyboard.insert_text("journal: {flush_second: soon}\n")
    problems = seen.page.get_by_role("region", name=said["problems"])
    await expect(problems).to_contain_text("未知字段", timeout=60_000)
    await expect(problems).not_to_contain_text("unknown field")
    await expect(problems).not_to_contain_text("did you mean")
    await seen.page.get_by_role("button", name="English", exact=True).first.click()
    english = seen.page.get_by_role("region", name=words("en", "policies")["problems"])
    await expect(english).to_contain_text("unknown field", timeout=60_000)
    seen.quiet()
