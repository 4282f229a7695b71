"""The page of policies as somebody uses it: every control is found by its role and its label."""

from typing import Any

from playwright.async_api import Locator, expect
from ruamel.yaml import YAML

from tests.browser.room import Room
from tests.browser.seen import Seen
from tests.browser.words import words

EDITED = """\
# Kept by the platform team.
providers:
  openai:
    dialect: openai
    base_url: {openai}
    scopes:
      - name: main
        keys: [sk-edited]
        limits:
          gpt-4o: {{rpm: 1000000, tpm: 1000000000}}   # as bought
          gpt-3.5-turbo: {{rpm: 1000000, tpm: 1000000000}}
  anthropic:
    dialect: anthropic
    base_url: {anthropic}
    scopes:
      - {{name: main, keys: [sk-ant-edited], limits: {{claude-3-haiku: {{rpm: 1000000}}}}}}
strategies:
  chat:
    primary_model: gpt-4o   # the first
    rate_limit_policy:
      max_rpm: 3000   # a slider
namespaces:
  web:
    keys:
      - {{name: web-app, key: sk-web-application}}
"""


class Editor:
    """Somebody who edits the policy."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.page = seen.page
        self.words = words("en", "policies")

    async def open(self, tab: str = "") -> "Editor":
        await self.seen.open("/policies" + (f"/{tab}" if tab else ""))
        await self.seen.heading(self.words["title"])
        await self.seen.settled()
        return self

    def button(self, word: str, **values: str) -> Locator:
        return self.page.get_by_role("button", name=self.words[word].format(**values), exact=True)

    def named(self, word: str) -> str:
        return self.words[f"f_{word}"]

    def number(self, field: str) -> Locator:
        """The exact number beside a slider."""
        return self.page.get_by_role("textbox", name=self.named(field), exact=True)

    async def slide(self, field: str, value: str) -> None:
        """From the slider's beginning, step by step, as far as this value."""
        thumb = self.page.get_by_role("slider", name=self.words["slider"].format(label=self.named(field)), exact=True)
        await thumb.press("Home")
        number = self.number(field)
        for _ in range(80):
            if await number.input_value() == value:
                return
            await thumb.press("ArrowRight")
        raise AssertionError(f"{field} has no stop at {value}")

    async def type(self, field: str, value: str) -> None:
        await self.number(field).fill(value)
        await self.number(field).press("Enter")

    async def write_default(self, field: str) -> None:
        await self.button("write_default", label=self.named(field)).click()

    async def choose(self, field: str, choice: str) -> None:
        await self.page.get_by_role("combobox", name=self.named(field), exact=True).click()
        await self.page.get_by_role("option", name=self.words[f"c_{choice}"], exact=True).click()

    async def tick(self, field: str) -> None:
        await self.page.get_by_role("checkbox", name=self.named(field), exact=True).check()

    async def add_fallback(self, model: str) -> None:
        box = self.page.get_by_role("combobox", name=self.words["add_fallback"], exact=True)
        await box.fill(model)
        await box.press("Tab")
        await self.button("add").click()
        await expect(box).to_have_value("")

    async def drag(self, model: str, onto: str) -> None:
        """By the pointer, from one model's grip beyond the middle of the other's, in steps as a hand's."""
        grip = self.button("drag", model=model)
        await grip.scroll_into_view_if_needed()
        start, end = await grip.bounding_box(), await self.button("drag", model=onto).bounding_box()
        assert start is not None
        assert end is not None
        across, mouse = start["x"] + start["width"] / 2, self.page.mouse
        await mouse.move(across, start["y"] + start["height"] / 2)
        await mouse.down()
        await mouse.move(across, end["y"] + end["height"] / 2, steps=12)
        await expect(self.page.locator("li[data-dragging]")).to_have_count(1)
        await mouse.up()
        await expect(self.page.locator("li[data-dragging]")).to_have_count(0)

    async def apply(self, why: str = "") -> None:
        """As soon as it is checked; until the gate says that it is in force."""
        await self.ask_to_apply(why)
        await self.apply_now()
        await self.in_force()

    async def ask_to_apply(self, why: str = "") -> None:
        await expect(self.button("apply")).to_be_enabled(timeout=60_000)
        await self.button("apply").click()
        dialog = self.page.get_by_role("dialog", name=self.words["apply_title"])
        await dialog.get_by_role("textbox", name=self.words["apply_comment"]).fill(why)

    async def apply_now(self) -> None:
        dialog = self.page.get_by_role("dialog", name=self.words["apply_title"])
        await dialog.get_by_role("button", name=self.words["apply_now"], exact=True).click()

    async def in_force(self) -> None:
        """The dialog is gone, and what is shown is what the gate serves by."""
        await expect(self.page.get_by_role("dialog")).to_have_count(0, timeout=60_000)
        await expect(self.page.get_by_text(self.words["unchanged"])).to_be_visible(timeout=60_000)


def tree(room: Room) -> Any:
    """What the gate's file says."""
    return YAML(typ="safe").load(room.gate.config.read_text(encoding="utf-8"))
