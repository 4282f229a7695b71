"""One browser, one gate and its traffic for the whole run; each test has a context of its own, signed in."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, StorageState, async_playwright, expect

from harness.twin import Twin
from tests.browser.room import TWIN_TREE, Room
from tests.browser.seen import AXE, Seen, seen
from tidegate.control.site import FOLDER

CHROMIUM = os.environ.get("TIDEGATE_CHROMIUM") or shutil.which("chromium")
PATIENT_MS = 20_000  # only a failure takes as long
WIDE = {"width": 1280, "height": 800}
Visits = Callable[..., Awaitable[Seen]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them go by the loop that the browser belongs to."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's browser; what else is needed to look at pages is there, too."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium fonts-noto-cjk")
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the control room is not built: ./dev ui")
    if not AXE.is_file():
        pytest.skip("axe-core is not there: ./dev lint installs it into web/node_modules")
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENT_MS)
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=sandbox)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def room_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    twin = Twin(tmp_path_factory.mktemp("twin"), TWIN_TREE)
    yield twin
    twin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def room(chromium_path: str, room_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """For tests that leave it as it was."""
    room = Room(tmp_path_factory.mktemp("room"), room_twin)
    await room.seed()
    yield room
    await room.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signed_in(room: Room, browser: Browser) -> StorageState:
    """The cookie of one session of the first token."""
    return await cookie(browser, room.url, room.token)


async def cookie(browser: Browser, url: str, token: str) -> StorageState:
    """What a browser keeps after it has signed in."""
    context = await browser.new_context()
    answer = await context.request.post(f"{url}/admin/v1/session", data={"token": token})
    assert answer.status == 201, await answer.text()
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest_asyncio.fixture(loop_scope="session")
async def opens(browser: Browser) -> AsyncIterator[Visits]:
    """Makes pages of a room, for who has this token, or this cookie, or neither."""
    made: list[BrowserContext] = []

    async def open_one(
        room: Room, token: str = "", *, lang: str = "en", theme: str = "light", kept: StorageState | None = None
    ) -> Seen:
        if token:
            kept = await cookie(browser, room.url, token)
        context = await browser.new_context(
            locale=lang, color_scheme="dark" if theme == "dark" else "light", viewport=WIDE,
            storage_state=kept, timezone_id="UTC", reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(PATIENT_MS)
        made.append(context)
        return await seen(context, room.url)

    yield open_one
    for context in made:
        await context.close()


@pytest.fixture
def visits(opens: Visits, room: Room, signed_in: StorageState) -> Visits:
    """Makes pages of the shared room, as its first admin."""

    async def visit(lang: str = "en", theme: str = "light") -> Seen:
        return await opens(room, lang=lang, theme=theme, kept=signed_in)

    return visit
