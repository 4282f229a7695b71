"""The control room in Debian's chromium, before a real gate: how soon it is there, acts, draws and finds."""

import contextlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright
from sqlalchemy import Engine

from bench import gate
from bench.figures import at_most, exactly, median, missing, told
from bench.proofs.observability import finding
from bench.proofs.steps import Context, Row
from bench.twin import twin
from bench.upstreams import ROOT
from harness.plain import exchange
from harness.ports import free_port
from harness.twin import Twin
from tidegate.store.engine import open_engine, writing
from tidegate.store.lane_tables import LANE_LIMITS, LANE_MINUTES
from tidegate.store.upgrade import upgrade
from tidegate.units import DAY_US

_AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_TOKEN: Final = re.compile(r'"token": "(tga_[^"]+)"')
_TENANTS: Final = 1_000
_CALLS: Final = 1_000_000
_PAGES: Final = re.compile(r'^  (\w+): \{\s*path: "([^"]+)"', re.MULTILINE)
_LIMITS: Final = {"rpm": 3_000, "tpm": 150_000}
_DAY_MINUTES: Final = 1_440
_PATIENT_MS: Final = 60_000
_REST_S: Final = 20.0
_LOOK_S: Final = 0.15
_CALM_S: Final = 0.03  # of processor time between two looks
_CALM_LOOKS: Final = 3
_FRAMES: Final = """() => new Promise(done => {
    const gaps = []; let last = performance.now(); const begun = last;
    const frame = now => {
        gaps.push(now - last); last = now;
        if (now - begun < 3000) requestAnimationFrame(frame); else done(gaps);
    };
    requestAnimationFrame(frame);
})"""


class CannotLook(Exception):
    """What is missing to open a page."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A gate, who may see it, and a browser."""

    port: int
    admin: int
    browser: Browser
    kept: StorageState

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.admin}"

    @contextlib.contextmanager
    def context(self, **options: Any) -> Iterator[BrowserContext]:
        """As of a browser that was never here, but for the session's cookie."""
        size: Any = {"width": 1280, "height": 800}
        made = self.browser.new_context(storage_state=self.kept, viewport=size, locale="en", **options)
        made.set_default_timeout(_PATIENT_MS)
        yield made
        made.close()

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """A page of such a context, in a window that is at rest."""
        with self.context() as context:
            page = context.new_page()
            _rest(self.browser)
            yield page


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def first_page(context: Context, row: Row) -> None:
    """Navigation until the overview's figures are there, with nothing in the browser's cache, under traffic."""
    with _stage(context, row) as stage:
        times = []
        for _ in range(3 if context.quick else 5):
            with stage.page() as page:
                began = time.perf_counter()
                page.goto(stage.url, wait_until="commit")
                page.locator("main figure canvas").first.wait_for()
                times.append(time.perf_counter() - began)
        note = f"of {len(times)}, worst {max(times):.2f} s, in a window that is at rest"
        row.figures.append(at_most("first page, cold cache: figures of the overview", median(times), 1.0, "s", note))
        _change(stage, row)
        _complaints(stage, row)


def curves(context: Context, row: Row) -> None:
    """A day of minutes of one quota, under a pointer that moves over it: how long frames take."""
    with _stage(context, row, _day) as stage, stage.page() as page:
        page.goto(stage.url)
        page.locator("main figure canvas").first.wait_for()
        began = time.perf_counter()
        page.get_by_text("24 h", exact=True).click()
        page.get_by_role("img", name=re.compile("24 h|day", re.IGNORECASE)).first.wait_for()
        drawn = time.perf_counter() - began
        box = page.locator("main figure .u-over").first.bounding_box()
        if box is None:
            raise CannotLook("the curve has no place")
        page.evaluate(f"() => {{ window.frames_seen = ({_FRAMES})() }}")
        for step in range(150):
            page.mouse.move(box["x"] + box["width"] * (step % 50) / 50, box["y"] + box["height"] / 2)
        gaps = sorted(page.evaluate("() => window.frames_seen"))
        row.figures += [
            at_most("24 h of a curve, 1,440 minutes: drawn", 1_000 * drawn, 1_000, "ms", "from the click"),
            at_most("frames while the pointer moves: 95th percentile", gaps[int(len(gaps) * 0.95)], 34, "ms"),
            told("longest frame", f"{gaps[-1]:.0f} ms", f"of {len(gaps)}"),
        ]


def many(context: Context, row: Row) -> None:
    """A thousand tenants and a million calls in SQLite: a list, a search, the chain of one call."""
    count = 50_000 if context.quick else _CALLS
    first_day = int(time.time() * 1_000_000) // DAY_US - 10
    with _stage(context, row, lambda engine: finding.load(engine, count, first_day)) as stage:
        name = f"{_TENANTS:,} tenants, {count:,} calls"

        def opened(what: str, path: str, ready: Callable[[Page], None]) -> None:
            times = []
            for _ in range(3):
                with stage.page() as page:
                    began = time.perf_counter()
                    page.goto(stage.url + path, wait_until="commit")
                    ready(page)
                    times.append(time.perf_counter() - began)
            row.figures.append(at_most(f"{name}: {what}", median(times), 2.0, "s", f"worst {max(times):.2f} s"))

        rows = "main [role=row], main tbody tr"
        opened("list of tenants", "/tenants", lambda page: page.get_by_text("tenant-").first.wait_for())
        opened("calls of ten days", "/calls?mode=search&period=30d", lambda page: page.locator(rows).nth(5).wait_for())
        seek = "/calls?mode=search&period=30d&namespace=team-rare&errors=true"
        opened("search: failed, of a rare namespace", seek, lambda page: page.locator(rows).nth(1).wait_for())
        call = finding.id_of(count // 2, count, first_day)
        opened("one chain", f"/calls/{call}", lambda page: page.locator("#stages").wait_for())


# ── what the first gate is asked ─────────────────────────────────────────────────────────────────────────────────────


def _change(stage: Stage, row: Row) -> None:
    """A limit made small by its control, until a call is refused by it."""
    with stage.page() as page:
        page.goto(f"{stage.url}/policies")
        number = page.get_by_role("textbox", name="Requests per minute", exact=True)
        number.fill("1")
        number.press("Enter")
        apply = page.get_by_role("button", name="Apply …", exact=True)
        expect(apply).to_be_enabled(timeout=_PATIENT_MS)
        apply.click()
        began = time.perf_counter()
        page.get_by_role("dialog").get_by_role("button", name="Apply", exact=True).click()
        while time.perf_counter() - began < 30 and _call(stage.port, "chat", "200") == 200:
            pass
        row.figures.append(
            at_most("a change in the page acts on calls", time.perf_counter() - began, 2.0, "s", "from the click")
        )


def _complaints(stage: Stage, row: Row) -> None:
    """Every page, both languages, both themes."""
    said: list[str] = []
    found: list[str] = []
    pages = dict(_PAGES.findall((ROOT / "web" / "src" / "app" / "pages.ts").read_text(encoding="utf-8")))
    for lang in ("en", "zh-CN"):
        for theme in ("light", "dark"):
            made = stage.browser.new_context(storage_state=stage.kept, locale=lang, color_scheme=_scheme(theme))
            page = made.new_page()
            page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            for path in pages.values():
                page.goto(stage.url + path)
                page.get_by_role("heading", level=1).wait_for()
                expect(page.locator("main [aria-busy=true]")).to_have_count(0, timeout=_PATIENT_MS)
                page.evaluate(_AXE.read_text(encoding="utf-8"))
                violations = page.evaluate("async () => (await axe.run(document)).violations")
                found += [f"{path} {one['id']}" for one in violations if one["impact"] in {"serious", "critical"}]
            made.close()
    where = f"{len(pages)} pages, 2 languages, 2 themes"
    row.figures += [
        exactly("serious and critical findings of axe", len(found), 0, "; ".join(sorted(set(found))) or where),
        exactly("errors in the console", len(said), 0, "; ".join(sorted(set(said))) or where),
    ]


def _scheme(theme: str) -> Any:
    return theme


# ── the stage ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _stage(context: Context, row: Row, fill: Callable[[Engine], None] | None = None) -> Iterator[Stage]:
    """Twin, gate, traffic, browser; `fill` writes into the gate's database before it begins."""
    chromium = shutil.which("chromium")
    if chromium is None or not _AXE.is_file():
        row.figures.append(missing("the control room in a browser", "", "apt-get install chromium; ./dev lint"))
        raise CannotLook("no chromium, or no packages in web/node_modules")
    row.commands.append("chromium by Playwright, 1280 × 800, before twin, gate and traffic on this machine")
    home = context.work / f"browser-{free_port()}"
    state = home / "state"
    state.mkdir(parents=True)
    if fill:
        engine = open_engine("", state)
        upgrade(engine)
        fill(engine)
        engine.dispose()
    with twin(home, "--rpm", "60000", "--tpm", "6000000") as judge, contextlib.ExitStack() as stack:
        node = stack.enter_context(gate.plain(home, _tree(judge)))
        stack.enter_context(_traffic(node.port))
        browser = stack.enter_context(_browser(chromium))
        yield Stage(node.port, node.admin, browser, _signed_in(browser, node.admin, home / "log"))


def _rest(browser: Browser) -> None:
    """Wait until the browser's own work is done.

    Each context is a new window, for whose address bar chromium 156 loads two pages of its own: a second of a core. Who
    looks has a window already.
    """
    session = browser.new_browser_cdp_session()
    calm, before, until = 0, -1.0, time.monotonic() + _REST_S
    while calm < _CALM_LOOKS and time.monotonic() < until:
        spent = sum(process["cpuTime"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"])
        calm = calm + 1 if spent - before < _CALM_S else 0
        before = spent
        time.sleep(_LOOK_S)
    session.detach()


@contextlib.contextmanager
def _browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def _signed_in(browser: Browser, admin: int, log: Path) -> StorageState:
    until = time.monotonic() + 60
    while (found := _TOKEN.search(log.read_text(encoding="utf-8"))) is None:
        if time.monotonic() > until:
            raise CannotLook("the gate showed no admin token")
        time.sleep(0.05)
    context = browser.new_context()
    answer = context.request.post(f"http://127.0.0.1:{admin}/admin/v1/session", data={"token": found[1]})
    if answer.status != 201:
        raise CannotLook(f"signing in is answered {answer.status}")
    kept = context.storage_state()
    context.close()
    return kept


def _tree(judge: Twin) -> dict[str, Any]:
    scope = {"name": "main", "keys": ["sk-bench"], "limits": {"gpt-4o": _LIMITS, "gpt-4o-mini": _LIMITS}}
    names = (f"tenant-{number:04}" for number in range(_TENANTS))
    strategy = {"primary_model": "gpt-4o-mini", "rate_limit_policy": {"max_rpm": 2_000}}
    return {
        "providers": {"openai": {"dialect": "openai", "base_url": judge.url, "scopes": [scope]}},
        "strategies": {"chat": strategy},
        "namespaces": {name: {"users": {"ann": {}}, "limits": {"rpm": 600}} for name in names},
    }


@contextlib.contextmanager
def _traffic(port: int) -> Iterator[None]:
    over = threading.Event()

    def drive() -> None:
        while not over.wait(0.1):
            _call(port, "gpt-4o", "2000")

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in threads:
            one.join()


def _call(port: int, model: str, deadline_ms: str) -> int:
    body = {"model": model, "messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}
    headers = {"x-tidegate-deadline-ms": deadline_ms}
    return exchange(port, "/v1/chat/completions", json.dumps(body).encode(), headers=headers).status


def _day(engine: Engine) -> None:
    """A day of one quota, every minute of it used."""
    lane = {"provider": "openai", "scope": "main", "model": "gpt-4o"}
    now = int(time.time() // 60)
    minutes = [
        lane | {"minute": now - back, "calls": 2_000, "attempts": 2_000, "charged_tokens": 90_000 + 37 * back % 60_000}
        for back in range(1, _DAY_MINUTES)
    ]
    with writing(engine) as connection:
        connection.execute(LANE_MINUTES.insert(), minutes)
        limit = {"minute": now - 2 * _DAY_MINUTES, **_LIMITS, "source": "configured"}
        connection.execute(LANE_LIMITS.insert(), [lane | limit])
