"""What goes wrong under an open page: sessions that end, gates that restart, roles that may not, a text too large."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from harness.ports import free_port
from harness.twin import Twin
from tests.browser.conftest import Visits
from tests.browser.policy import EDITED, Editor
from tests.browser.room import Room
from tests.browser.words import BELOW, pages, words

pytestmark = pytest.mark.timeout(180)
MEBIBYTE = 1 << 20
LOOKING = ("viewer", "debugger")
_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_LOADED = "() => !document.querySelector('main [class*=Skeleton-root], main [class*=Loader-root]')"
_PASTE = """(element, text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    element.focus();
    element.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def own(chromium_path: str, room_twin: Twin, tmp_path: Path) -> AsyncIterator[Room]:
    """A gate that may be ended, on a port that it comes back to."""
    room = Room(tmp_path, room_twin, EDITED, "--admin-port", str(free_port()))
    yield room
    await room.close()


async def test_a_session_that_ends_loses_nothing(opens: Visits, room: Room) -> None:
    """The page stays under the question who one is; what was typed is there afterwards, and goes on."""
    token = await room.role("admin")
    editor = await Editor(await opens(room, token)).open()
    await editor.type("ttl_seconds", "1,234")
    await room.ask("DELETE", f"/sessions?name={room.named[token]}")
    signin = words("en", "signin")
    await editor.slide("max_retries", "7")
    overlay = editor.page.get_by_role("dialog", name=signin["ended"])
    await expect(overlay).to_be_visible()
    await overlay.get_by_label(signin["token"]).fill(token)
    await overlay.get_by_role("button", name=signin["submit"]).click()
    await expect(overlay).to_have_count(0)
    await expect(editor.number("ttl_seconds")).to_have_value("1,234")
    await expect(editor.number("max_retries")).to_have_value("7")
    await expect(editor.button("apply")).to_be_enabled()  # the gate has checked it: it goes on
    refused = [one for one in editor.seen.complaints if "401" not in one]
    assert refused == []


@pytest.mark.parametrize(("number", "place"), list(enumerate((*pages().values(), *BELOW))))
async def test_who_may_only_look_changes_nothing(opens: Visits, room: Room, number: int, place: str) -> None:
    """Whatever they can press, on a page or below it, asks the gate for no change. The two roles take turns.

    That the gate refuses each, to every role that may not, tests/control/admin/test_matrix.py shows route by route.
    """
    seen = await opens(room, await room.role(LOOKING[number % 2]))
    changes: list[str] = []

    async def intercept(route: Route) -> None:
        asked = f"{route.request.method} {route.request.url.partition('/admin/v1')[2].partition('?')[0]}"
        if route.request.method in {"GET", "HEAD"} or asked == "POST /policy/preview":
            await route.continue_()
            return
        changes.append(asked)
        await route.abort()

    await seen.page.route("**/admin/v1/**", intercept)
    await seen.open(await room.below(place))
    await expect(seen.page.get_by_role("heading", level=1)).to_be_visible()
    await seen.settled()
    await seen.page.wait_for_function(_LOADED)
    pressed = "main button:not([disabled]):not([aria-disabled=true]):not([aria-haspopup]):not([role=tab])"
    for turn in range(await seen.page.locator(pressed).count()):
        button = seen.page.locator(pressed).nth(turn)
        if await button.count() and await button.is_visible():
            await button.click(timeout=3_000, no_wait_after=True, force=True)
            await seen.page.evaluate(_DRAWN)
            for inner in reversed(await seen.page.locator("[role=dialog] button:not([disabled])").all()):
                if await inner.count() and await inner.is_visible():
                    await inner.click(timeout=3_000, force=True)
            await seen.page.keyboard.press("Escape")
    assert set(changes) <= {"DELETE /session"}, "everybody may sign out"
    told = [one for one in seen.complaints if "403" not in one and "ERR_FAILED" not in one]
    assert [one for one in told if "/body" not in one] == [], "of most calls nobody keeps what they said"


async def test_the_gate_restarts_under_an_open_page(opens: Visits, own: Room) -> None:
    """The page says since when it is not true any more, and goes on by itself, still signed in."""
    said = words("en", "overview")
    seen = await opens(own, own.token)
    await seen.open("/")
    await expect(seen.page.get_by_text(said["live"], exact=True)).to_be_visible()
    own.gate.process.terminate()
    own.gate.wait_end()
    lost = re.compile(re.escape(said["lost"]).replace(r"\{at\}", ".+"))
    await expect(seen.page.get_by_text(lost)).to_be_visible()
    assert own.gate.process.stdout is not None
    own.gate.process.stdout.close()
    own.gate.start()
    own.gate.wait_ready()
    await expect(seen.page.get_by_text(said["live"], exact=True)).to_be_visible(timeout=60_000)
    assert [one for one in seen.complaints if "ERR_" not in one and "503" not in one] == []


async def test_a_yaml_of_a_megabyte(opens: Visits, own: Room) -> None:
    """It is checked or refused in words, the page answers meanwhile, and one step leads back."""
    editor = await Editor(await opens(own, own.token)).open()
    line = "  n{:05}: {{limits: {{rpm: 5, tpm: 5000}}}}  # one of very many customers\n"
    text = "".join(line.format(number) for number in range(MEBIBYTE // len(line.format(0)) + 1))
    content = editor.page.get_by_role("textbox", name=editor.words["yaml_label"])
    await content.press("Control+End")
    await content.evaluate(_PASTE, text)
    await expect(editor.page.get_by_text(re.compile("Changed, not in force yet"))).to_be_visible()
    began = await editor.page.evaluate("performance.now()")
    await editor.page.get_by_role("tab", name=editor.words["tab_history"]).click()
    await expect(editor.page.get_by_role("table", name=editor.words["history_label"])).to_be_visible()
    took = await editor.page.evaluate("performance.now()") - began
    print(f"\nbeside a YAML of 1 MB another tab is there after {took:.0f} ms")
    verdict = re.compile("Checked: it can be applied|Still checking|error|did not finish|could not check")
    await expect(editor.page.get_by_role("status").filter(has_text=verdict).first).to_be_visible(timeout=60_000)
    await editor.button("undo").click()
    await expect(editor.page.get_by_text(editor.words["unchanged"])).to_be_visible(timeout=60_000)
    editor.seen.quiet()
