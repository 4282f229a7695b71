"""Markup in whatever a tenant, a client or a colleague may choose: it is text on every page, and nothing of it runs."""

import contextlib

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.room import Room
from tests.browser.words import BELOW, pages

pytestmark = pytest.mark.timeout(300)
IMAGE = "<img src=x onerror=window.ran=1>"
SCRIPT = '"><script>window.ran=1</script>'
TURNED = "\u202egnp.exe\u202c"
TOLD = ("/accounts", "/policies/history", "/alerts/silences")  # why: one was drained, the policy changed, nobody told
NASTY = (IMAGE, SCRIPT, TURNED, "javascript:window.ran=1", "${7*7}{{7*7}}")


async def _write(room: Room) -> list[str]:
    """Wherever somebody chooses words; what of it the gate took. Names are words of letters: it refuses these."""
    taken = []
    for text in NASTY:
        tries = {
            "namespace": ("POST", "/namespaces", {"name": text}),
            "user": ("POST", "/namespaces/web/users", {"name": text}),
            "key": ("POST", "/namespaces/web/keys", {"name": text}),
            "token": ("POST", "/tokens", {"name": text, "role": "viewer"}),
            "models": ("POST", "/namespaces", {"name": f"n{abs(hash(text))}", "models": [text]}),
            "silence": ("POST", "/alerts/silences", {"match": {"model": text}, "minutes": 5, "why": text}),
            "drain": ("POST", "/accounts/openai/second/drain", {"reason": text}),
            "restore": ("POST", "/accounts/openai/second/restore", None),
        }
        for what, (method, path, body) in tries.items():
            with contextlib.suppress(AssertionError):
                await room.ask(method, path, body)
                taken.append(what)
        headers = {"authorization": "Bearer sk-web-application", "user-agent": "probe"}
        with contextlib.suppress(UnicodeEncodeError):
            headers |= {"x-request-id": text, "x-tidegate-tag": text, "user-agent": text.encode("ascii").decode()}
        for model in (text, "gpt-4o-mini"):
            body = {"model": model, "messages": [{"role": "user", "content": text}], "user": text, "max_tokens": 5}
            await room.client.post(f"{room.gate.url}/chat/completions", json=body, headers=headers)
    await room.ask("POST", "/accounts/openai/second/drain", {"reason": IMAGE})
    policy = await room.ask("GET", "/policy")
    changed = policy["text"] + f"# {IMAGE}{SCRIPT}\n"
    await room.ask("POST", "/policy/apply", {"base": policy["digest"], "text": changed, "comment": IMAGE + SCRIPT})
    return taken


@pytest.fixture
def places() -> list[str]:
    return [*pages().values(), *BELOW]


async def test_nothing_of_it_runs(visits: Visits, room: Room, places: list[str]) -> None:
    """No element comes of it, no handler, no dialog; where it was taken it is shown as it was written."""
    taken = await _write(room)
    assert {"silence", "drain"} <= set(taken)
    assert {"namespace", "user", "key"} & set(taken) == set()
    seen = await visits()
    asked: list[str] = []
    seen.page.on("dialog", lambda dialog: asked.append(dialog.message))
    for place in places:
        await seen.open(await room.below(place))
        await expect(seen.page.get_by_role("heading", level=1)).to_be_visible()
        await seen.settled()
        made = "document.querySelectorAll('main img[src=x], main script').length"
        assert await seen.page.evaluate(f"[window.ran ?? 0, {made}]") == [0, 0], place
        if place in TOLD:
            await expect(seen.page.locator("main").get_by_text(IMAGE).first).to_be_visible()
    assert asked == []
    seen.quiet()
    await room.ask("POST", "/accounts/openai/second/restore")
