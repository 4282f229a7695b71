"""Pictures of the pages for the documentation, of a gate under traffic.

    python -m tests.browser.pictures

writes docs/images/ui/*.png, as small as pngquant (apt-get install pngquant) makes them.
"""

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from harness.twin import Twin
from tests.browser.room import TWIN_TREE, Room
from tests.browser.seen import Seen, seen
from tests.browser.words import WEB, pages, words

OUT = WEB.parent / "docs" / "images" / "ui"
CHINESE = ("overview", "policies")
_POINTS = 60  # of a curve: a whole minute


async def main() -> None:
    """Every page in English, two in Chinese."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        twin = Twin(Path(folder) / "twin", TWIN_TREE)
        room = Room(Path(folder) / "room", twin)
        try:
            await room.seed()
            async with room.traffic(per_second=8):
                await room.asked("/live/recent?seconds=300", lambda found: len(found["points"]["at"]) > _POINTS)
                await _take(room)
        finally:
            await room.close()
            twin.close()


async def _take(room: Room) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for lang, names in (("en", tuple(pages())), ("zh-CN", CHINESE)):
            context = await browser.new_context(locale=lang, viewport={"width": 1280, "height": 800})
            context.set_default_timeout(60_000)
            await context.request.post(f"{room.url}/admin/v1/session", data={"token": room.token})
            for name in names:
                await _one(await seen(context, room.url), name, lang)
        await browser.close()


async def _one(page: Seen, name: str, lang: str) -> None:
    await page.open(pages()[name])
    await page.heading(words(lang, name)["title"])
    await page.settled()
    await page.page.mouse.move(0, 0)
    path = OUT / (f"{name}.png" if lang == "en" else f"{name}.zh.png")
    await page.picture(path)
    await page.page.close()
    await asyncio.to_thread(_smaller, path)


def _smaller(path: Path) -> None:
    quant = shutil.which("pngquant")
    if quant:
        subprocess.run([quant, "--force", "--strip", "--output", str(path), "128", str(path)], check=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    asyncio.run(main())
