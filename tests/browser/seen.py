"""A page that is watched: what stands in its console, where its requests go, and what axe finds."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, expect

from tests.browser.words import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
_STILL = """() => Promise.allSettled(
    document.getAnimations().filter(one => one.effect.getComputedTiming().endTime < Infinity).map(one => one.finished)
)"""


class Seen:
    """One page of one browser context."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []  # the console's errors, and exceptions that nobody caught
        self.strangers: list[str] = []  # requests to other hosts
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _asked(self, request: Request) -> None:
        host = urlsplit(request.url)
        if host.scheme not in {"data", "blob"} and f"{host.scheme}://{host.netloc}" != self.url:
            self.strangers.append(request.url)

    async def open(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def heading(self, text: str) -> None:
        """It is shown, with this heading."""
        await expect(self.page.get_by_role("heading", level=1, name=text, exact=True)).to_be_visible()

    async def settled(self) -> None:
        """Nothing that it says to be loading is left."""
        await expect(self.page.locator("main [aria-busy=true]")).to_have_count(0, timeout=60_000)

    async def axe(self) -> list[str]:
        """Serious and critical findings, each with the places where it is."""
        await self.page.evaluate(_STILL)  # a colour on its way to another is neither
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        found = await self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]

    async def picture(self, path: Path) -> None:
        await self.page.screenshot(path=path, animations="disabled", caret="hide")

    def quiet(self) -> None:
        """Nothing was complained of, and nobody else was asked."""
        assert self.complaints == []
        assert self.strangers == []


async def seen(context: BrowserContext, url: str) -> Seen:
    """A new page of it."""
    return Seen(await context.new_page(), url)
