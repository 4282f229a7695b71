"""The policy changed in a browser: by controls alone, under traffic, by two at once, tried out and taken back."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from ruamel.yaml import YAML

from harness.twin import Twin
from harness.wait import DEADLINE
from tests.browser.conftest import Visits
from tests.browser.policy import EDITED, Editor, tree
from tests.browser.room import Room

pytestmark = pytest.mark.timeout(300)
MISSION = Path(__file__).parents[1] / "config" / "mission.yaml"


@pytest_asyncio.fixture(loop_scope="session")
async def edited(chromium_path: str, room_twin: Twin, tmp_path: Path) -> AsyncIterator[Room]:
    """A gate whose file may change."""
    room = Room(tmp_path, room_twin, EDITED)
    yield room
    await room.close()


async def test_the_missions_policy_by_controls_alone(opens: Visits, edited: Room) -> None:
    """Sliders, check boxes and lists write, field for field, what the mission's YAML says; nothing else changes."""
    editor = await Editor(await opens(edited, edited.token)).open()
    before = tree(edited)
    await editor.button("new_strategy").click()
    await editor.page.get_by_role("radio", name=editor.words["new_single"]).check()
    await editor.page.get_by_role("combobox", name=editor.words["new_model"]).fill("gpt-4o")
    await editor.button("create").click()
    await expect(editor.page.get_by_role("combobox", name=editor.words["strategy"], exact=True)).to_have_value(
        editor.words["strategy_single"].format(name="gpt-4o")
    )
    await editor.add_fallback("gpt-3.5-turbo")
    await editor.add_fallback("claude-3-haiku")
    await editor.slide("max_rpm", "3,000")
    await editor.slide("max_tpm", "150,000")
    await editor.choose("throttle_type", "token_bucket")
    await editor.slide("bucket_capacity", "100")
    await editor.slide("refill_rate", "5")
    await editor.slide("max_retries", "3")
    await editor.slide("backoff_multiplier", "2")
    await editor.write_default("jitter_enabled")
    await editor.tick("caching")
    await editor.slide("ttl_seconds", "3,600")
    await editor.write_default("cache_input_hash")
    await editor.tick("async")
    queue = editor.page.get_by_role("combobox", name=editor.named("queue_backend"), exact=True)
    await queue.fill("redis://localhost:6379/0")
    await queue.press("Tab")
    await editor.apply("the mission's policy")
    after, mission = tree(edited), YAML(typ="safe").load(MISSION.read_text(encoding="utf-8"))
    assert after.pop("model_strategy") == mission["model_strategy"]
    assert after == before
    assert "# as bought" in edited.gate.config.read_text(encoding="utf-8")
    editor.seen.quiet()


async def test_fallbacks_change_places_by_drag(opens: Visits, edited: Room) -> None:
    """What is dragged up is asked first: the file lists the fallbacks in the new order."""
    editor = await Editor(await opens(edited, edited.token)).open()
    await editor.add_fallback("gpt-3.5-turbo")
    await editor.add_fallback("claude-3-haiku")
    await editor.drag("claude-3-haiku", onto="gpt-3.5-turbo")
    await editor.apply("the other way round")
    fallbacks = tree(edited)["strategies"]["chat"]["fallback_models"]
    ordered = sorted(fallbacks, key=lambda one: one.get("priority", 0) if isinstance(one, dict) else 0)
    assert [one["model"] if isinstance(one, dict) else one for one in ordered] == ["claude-3-haiku", "gpt-3.5-turbo"]
    editor.seen.quiet()


async def test_a_change_acts_on_traffic(opens: Visits, edited: Room) -> None:
    """One number, applied: the next calls are refused, and the page says that it is in force."""
    editor = await Editor(await opens(edited, edited.token)).open()
    assert await edited.call("chat") == 200
    await editor.slide("max_rpm", "1")
    await editor.ask_to_apply("less")
    began = time.monotonic()
    await editor.apply_now()
    async with asyncio.timeout(DEADLINE):
        while await edited.call("chat", deadline_ms=100) == 200:
            pass
    print(f"\na change in the browser acts on calls after {time.monotonic() - began:.3f} s")
    await editor.in_force()
    assert "max_rpm: 1   # a slider" in edited.gate.config.read_text(encoding="utf-8")
    editor.seen.quiet()


async def test_two_people_at_once(opens: Visits, edited: Room) -> None:
    """The second is told before she can apply, sees what the first one did, and both changes come into force."""
    first = await Editor(await opens(edited, edited.token)).open()
    second = await Editor(await opens(edited, edited.token)).open()
    await second.slide("max_retries", "7")
    await first.slide("max_rpm", "2,000")
    await first.apply("mine")
    notice = second.page.get_by_role("alert").filter(has_text=second.words["theirs_title"])
    await expect(notice).to_be_visible(timeout=60_000)
    await expect(second.button("apply")).to_be_disabled()
    await expect(second.number("max_retries")).to_have_value("7")
    await notice.get_by_role("button", name=second.words["theirs_look"]).click()
    await second.button("merge").click()
    await second.apply("hers")
    policy = tree(edited)["strategies"]["chat"]
    assert (policy["rate_limit_policy"]["max_rpm"], policy["retry_policy"]["max_retries"]) == (2000, 7)
    assert [one["comment"] for one in (await edited.ask("GET", "/policy/history"))[:2]] == ["hers", "mine"]
    first.seen.quiet()
    second.seen.quiet()


async def test_tried_out_and_taken_back(opens: Visits, edited: Room) -> None:
    """A dry run says what the draft would have done with recorded calls; history leads back to the file as it was."""
    before = edited.gate.config.read_bytes()
    await asyncio.gather(*(edited.call("chat") for _ in range(6)))
    await edited.asked("/calls?limit=6", lambda found: len(found.get("calls", found)) == 6)
    editor = await Editor(await opens(edited, edited.token)).open()
    await editor.slide("max_rpm", "1")
    await expect(editor.button("apply")).to_be_enabled()
    await editor.page.get_by_role("tab", name=editor.words["tab_dryrun"]).click()
    await editor.button("dry_start").click()
    await expect(editor.page.get_by_text(editor.words["dry_findings"])).to_be_visible(timeout=60_000)
    assert await edited.call("chat") == 200  # nothing changed meanwhile
    await editor.apply("tried")
    await editor.page.get_by_role("tab", name=editor.words["tab_history"]).click()
    rows = editor.page.get_by_role("row")
    await expect(rows.filter(has_text="tried")).to_be_visible()
    await rows.last.click()
    await editor.button("history_restore").click()
    dialog = editor.page.get_by_role("dialog")
    await dialog.get_by_role("button", name=editor.words["history_restore"], exact=True).click()
    await expect(dialog).to_have_count(0)
    assert edited.gate.config.read_bytes() == before
    assert await edited.call("chat") == 200
    editor.seen.quiet()
