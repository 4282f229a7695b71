"""The control room's files: what is served, how long it is kept, and that nothing else can be read."""

import asyncio
import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import httpx2 as httpx
import pytest

from tidegate.control.admin.auth.guard import HEADERS, Guard
from tidegate.control.admin.front import Front
from tidegate.control.admin.office import Office
from tidegate.control.site import FOLDER, PAGES, Site

PAGE = '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><script src="/assets/main-1a2b.js"></script>'
SCRIPT = "console.log('tide');" * 200
WEB = Path(__file__).parents[2] / "web" / "src" / "pages"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text(PAGE)
    (made / "favicon.svg").write_text("<svg/>")
    (made / "assets" / "main-1a2b.js").write_text(SCRIPT)
    (made / ".source").write_text("hash of the sources")
    (tmp_path / "secret.txt").write_text("never")
    (made / "assets" / "linked.txt").symlink_to(tmp_path / "secret.txt")
    return made


def ask(site: Site, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """One request past the guard; a body is as it was sent."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=Guard(site))
        async with httpx.AsyncClient(transport=transport) as client:
            given = {"host": "localhost:8081", "accept-encoding": "identity", **(headers or {})}
            return await client.request(method, f"http://localhost:8081{path}", headers=given)

    return asyncio.run(asked())


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in sorted(PAGES)), "/calls/018f-1", "/policies/a/b/"])
def test_every_page_is_the_one_page(folder: Path, path: str) -> None:
    """A reader may begin at, or reload, any of them; its nonce is fresh and stands in the policy too."""
    site = Site(folder)
    nonces = set()
    for _ in range(2):
        answer = ask(site, path)
        assert answer.status_code == 200
        found = re.search(r'content="([\w-]{20,})"', answer.text)
        assert found is not None
        nonces.add(found[1])
        assert f"style-src 'self' 'nonce-{found[1]}'" in answer.headers["content-security-policy"]
        assert "script-src 'self';" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    assert len(nonces) == 2


def test_a_page_tells_what_it_is_drawn_by(folder: Path) -> None:
    """Each its own, as the build says, so that the browser fetches it at once; the overview's at `/` too."""
    links = {name: f'<link rel="modulepreload" href="/assets/{name}-1a2b.js">' for name in ("overview", "calls")}
    told = "\n  ".join(f"<!--page {name} {link}-->" for name, link in links.items())
    (folder / "index.html").write_text(f"<head>\n  {told}\n</head>")
    site = Site(folder)
    for path, own in {"/": "overview", "/overview": "overview", "/calls/018f-1": "calls", "/jobs": ""}.items():
        assert ask(site, path).text == f"<head>{links.get(own, '')}\n</head>"


def test_what_is_named_by_its_content_is_kept_for_ever(folder: Path) -> None:
    """Compressed for who takes that, from a file beside it or made; 304 for who has it."""
    site = Site(folder)
    plain = ask(site, "/assets/main-1a2b.js")
    assert plain.text == SCRIPT
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in plain.headers
    packed = ask(site, "/assets/main-1a2b.js", headers={"accept-encoding": "br, gzip;q=0.8"})
    assert (packed.text, packed.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert packed.headers["vary"] == "accept-encoding"
    refused = ask(site, "/assets/main-1a2b.js", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    again = ask(site, "/assets/main-1a2b.js", headers={"if-none-match": f'"other", {plain.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", plain.headers["etag"])
    (folder / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(b"as it was built"))
    assert ask(Site(folder), "/assets/main-1a2b.js", headers={"accept-encoding": "gzip"}).text == "as it was built"


def test_other_files_are_asked_for_again(folder: Path) -> None:
    """Their names do not change with their content."""
    answer = ask(Site(folder), "/favicon.svg")
    assert (answer.text, answer.headers["cache-control"]) == ("<svg/>", "no-cache")
    assert answer.headers["content-type"] == "image/svg+xml"


def test_head_tells_as_much_as_get(folder: Path) -> None:
    """Without the body; nothing else than reading is possible."""
    site = Site(folder)
    for path in ("/", "/assets/main-1a2b.js"):
        head, got = ask(site, path, "HEAD"), ask(site, path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    answer = ask(site, "/", "POST")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (405, "method")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5csecret.txt",
        "/assets/linked.txt", "/.source", "/assets/%00", "/etc/passwd", "//etc/passwd", "/assets/", "/assets",
        "/index.html", "/assets/main-1a2b.js/", "/nothing", "/assets/main-1a2b.js.gz", "/Overview",
    ],
)  # fmt: skip
def test_nothing_else_can_be_read(folder: Path, path: str) -> None:
    """No way leads out of the folder, and nothing in it is found but by its name."""
    answer = ask(Site(folder), path)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "path")
    assert "never" not in answer.text


def test_it_is_guarded(folder: Path) -> None:
    """The same headers as the admin API's, and no other host's name."""
    site = Site(folder)
    for path in ("/", "/assets/main-1a2b.js", "/nothing"):
        answer = ask(site, path)
        for name, value in HEADERS[2:]:
            assert answer.headers[name.decode()] == value.decode()
        assert ask(site, path, headers={"host": "evil.example"}).status_code == 421
    assert "script-src 'self'" in ask(site, "/assets/main-1a2b.js").headers["content-security-policy"]


def test_another_build_is_taken_up(folder: Path) -> None:
    """Without a restart, with the next page."""
    site = Site(folder)
    assert ask(site, "/assets/main-1a2b.js").status_code == 200
    (folder / "assets" / "main-1a2b.js").rename(folder / "assets" / "main-3c4d.js")
    (folder / "index.html").write_text(PAGE.replace("1a2b", "3c4d") + "\n")
    assert "3c4d" in ask(site, "/").text
    assert ask(site, "/assets/main-3c4d.js").status_code == 200
    assert ask(site, "/assets/main-1a2b.js").status_code == 404


def test_without_a_build_the_page_says_why(tmp_path: Path) -> None:
    """And what to do; with a build it is there at once."""
    site = Site(tmp_path / "site")
    for path in ("/", "/calls"):
        answer = ask(site, path)
        assert answer.status_code == 404
        assert "TIDEGATE_SKIP_UI=1" in answer.text
        assert "./dev ui" in answer.text
        assert 'href="/docs"' in answer.text
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(PAGE)
    assert ask(site, "/").status_code == 200


def test_the_api_is_made_ready_when_a_page_is_opened(folder: Path) -> None:
    """Once the page is on its way; not for a file, nor where there is no page."""
    opened = []
    site = Site(folder, lambda: opened.append(1))
    for path in ("/assets/main-1a2b.js", "/nothing"):
        ask(site, path)
    assert opened == []
    ask(site, "/calls")
    assert opened == [1]
    ask(Site(folder / "assets", lambda: opened.append(2)), "/")
    assert opened == [1]


async def test_the_api_is_made_once() -> None:
    """Whether a page is opened first, twice, or a request comes."""
    made = []

    def make() -> Office:
        made.append(1)
        raise OSError("no office")

    front = Front(make)
    front.warm()
    front.warm()
    async with asyncio.timeout(20):
        while not made:
            await asyncio.sleep(0)
    assert made == [1]


@pytest.mark.skipif(not (FOLDER / "index.html").is_file(), reason="the control room is not built: ./dev ui")
@pytest.mark.parametrize("name", sorted(PAGES - {"signin"}))
def test_the_page_tells_beside_its_first_script_of_all_that_shows_it(name: str) -> None:
    """That script waits for no other file; what it imports and the asked page come beside it; styles stand before."""
    page = ask(Site(FOLDER), f"/{name}").text
    assert "<!--" not in page
    links = re.findall(r'<link rel="(stylesheet|modulepreload)" href="(/[^"]+)"', page)
    (entry,) = re.findall(r'<script type="module" async crossorigin src="(/[^"]+)">', page)
    assert page.rindex("<link") < page.index("<body>") < page.index("<script")
    scripts = [path for kind, path in links if kind == "modulepreload"]
    assert (scripts[0], len(set(scripts))) == (entry, len(scripts))
    assert any(path.startswith(f"/assets/{name}-") for path in scripts)
    imports = re.compile(r'(?:^|[;}])(?:import|export)[^"();]*"\./([^"]+)"')
    assert not imports.findall((FOLDER / entry[1:]).read_text())
    for path in scripts:
        assert {f"/assets/{name}" for name in imports.findall((FOLDER / path[1:]).read_text())} <= set(scripts), path
    assert (FOLDER / entry[1:]).stat().st_size < 40_000
    assert all((FOLDER / path[1:]).is_file() for _, path in links)


def test_every_page_of_the_sources_is_served() -> None:
    """A page that is added there is added here."""
    if WEB.is_dir():
        assert {path.name for path in WEB.iterdir() if path.is_dir()} <= PAGES
    assert FOLDER.parent.name == "control"
