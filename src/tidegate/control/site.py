"""The control room's pages as they were built: files that hold nothing of this gate, so they are open to all.

They stand behind the same guard as the admin API and need neither its framework nor a database. What may be asked for
is looked up in a table of the files that there are: no path is ever made of what a client sent.
"""

import asyncio
import gzip
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.types import Receive, Scope, Send

from tidegate.control.admin.auth.guard import BASE_POLICY
from tidegate.control.admin.problems import refused

FOLDER = Path(__file__).with_name("site")
PAGES = frozenset({
    "overview", "policies", "calls", "accounts", "tenants", "jobs", "alerts", "drills", "playground", "settings",
    "signin",
})  # fmt: skip
NONCE = b"__CSP_NONCE__"  # stands in the page where its styles' nonce belongs
_OVERVIEW = "overview"  # what stands at /
_NEEDS = re.compile(rb"[ \n]*<!--page (\w+) (.*?)-->")  # what the browser fetches for one page, as the build tells
_INDEX = "index.html"
_ASSETS = "/assets/"  # named by what is in them
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
_SMALL = 1_024  # bytes; what is shorter is not worth compressing
_PACKED = (".gz", ".br")
_TEXTS = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".webmanifest": b"application/manifest+json",
}
_MEDIA = _TEXTS | {
    ".ico": b"image/x-icon",
    ".png": b"image/png",
    ".webp": b"image/webp",
    ".woff2": b"font/woff2",
}
_MISSING = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tidegate</title><link rel="icon" href="data:,"></head>
<body>
<h1>The control room is not in this installation</h1>
<p>This gate serves calls and its admin API as always. Its pages were left out when it was built: by
<code>TIDEGATE_SKIP_UI=1</code>, or because neither Node.js nor a package registry could be reached then.</p>
<p>To have them, install a released wheel (<code>pip install --upgrade tidegate</code>), or build them in a checkout
(<code>./dev ui</code>), and load this page again.</p>
<p>Without them: <a href="/docs">the admin API to read and try</a>, <code>tidegate top</code> and the other commands of
<code>tidegate --help</code>, <a href="/metrics">metrics</a>.</p>
</body>
</html>
"""
_Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A file as it is answered."""

    plain: bytes
    packed: bytes  # by gzip, empty = it is not worth it
    tag: bytes
    media: bytes


class Site:
    """An ASGI application. Files are read when they are first asked for, and kept until the page is another."""

    __slots__ = ("_files", "_folder", "_loaded", "_opened", "_page", "_seen")

    def __init__(self, folder: Path = FOLDER, opened: Callable[[], None] = lambda: None) -> None:
        """`opened` is called when somebody opens the page: it will ask the admin API soon."""
        self._folder = folder
        self._opened = opened
        self._files: dict[str, Path] = {}  # by the path of the URL
        self._loaded: dict[str, _Loaded] = {}
        self._page: bytes | None = None  # None = there is none
        self._seen: tuple[int, int] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises `Refused`."""
        if scope["method"] not in {"GET", "HEAD"}:
            raise refused(405, "method", "a page is only read", "GET it", ("allow", "GET, HEAD"))
        path: str = scope["path"]
        name = path.removeprefix("/").partition("/")[0] if path != "/" else _OVERVIEW
        if name in PAGES:
            await asyncio.to_thread(self._look)
            await _send(scope, send, *self._shown(name))
            if self._page is not None:
                self._opened()
            return
        if self._seen is None:
            await asyncio.to_thread(self._look)
        if path not in self._files:
            raise refused(404, "path", "there is no such page or file", "begin at /")
        if path not in self._loaded:
            try:
                self._loaded[path] = await asyncio.to_thread(_load, self._files[path])
            except OSError:
                raise refused(404, "path", "the file is gone", "load the page again") from None
        await _send(scope, send, *_file(self._loaded[path], path, scope["headers"]))

    def _look(self) -> None:
        """Is it still the same build?"""
        try:
            stat = (self._folder / _INDEX).stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                self._page = (self._folder / _INDEX).read_bytes()
                self._files, self._loaded, self._seen = dict(_files(self._folder)), {}, seen
        except OSError:
            self._files, self._loaded, self._page, self._seen = {}, {}, None, None

    def _shown(self, name: str) -> tuple[int, _Headers, bytes]:
        """The one page, which tells the browser at once what the page of this name is drawn by."""
        page = self._page
        html = (b"content-type", _TEXTS[".html"])
        if page is None:
            return 404, [html], _MISSING
        nonce = secrets.token_urlsafe(18).encode()
        policy = b"%s; style-src 'self' 'nonce-%s'; font-src 'self'" % (BASE_POLICY, nonce)
        shown = _NEEDS.sub(lambda found: found[2] if found[1] == name.encode() else b"", page)
        return 200, [html, (b"content-security-policy", policy)], shown.replace(NONCE, nonce)


def _files(folder: Path) -> Iterable[tuple[str, Path]]:
    root = folder.resolve()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        hidden = name == _INDEX or any(part.startswith(".") for part in name.split("/"))
        if path.is_file() and not hidden and path.suffix not in _PACKED and path.resolve().is_relative_to(root):
            yield f"/{name}", path


def _load(path: Path) -> _Loaded:
    plain = path.read_bytes()
    packed = b""
    if path.suffix in _TEXTS and len(plain) >= _SMALL:
        made = path.with_name(f"{path.name}.gz")
        packed = made.read_bytes() if made.is_file() else gzip.compress(plain, compresslevel=6, mtime=0)
    tag = b'"%s"' % hashlib.sha256(plain).hexdigest()[:32].encode()
    return _Loaded(plain, packed, tag, _MEDIA.get(path.suffix, b"application/octet-stream"))


def _file(file: _Loaded, path: str, asked: Iterable[tuple[bytes, bytes]]) -> tuple[int, _Headers, bytes]:
    said = {name.lower(): value for name, value in asked}
    headers = [
        (b"content-type", file.media),
        (b"cache-control", _FOREVER if path.startswith(_ASSETS) else _ASK_AGAIN),
        (b"etag", file.tag),
    ]
    if file.packed:
        headers.append((b"vary", b"accept-encoding"))
    known = [tag.strip().removeprefix(b"W/") for tag in said.get(b"if-none-match", b"").split(b",")]
    if file.tag in known or b"*" in known:
        return 304, headers, b""
    if file.packed and _takes_gzip(said.get(b"accept-encoding", b"")):
        return 200, [*headers, (b"content-encoding", b"gzip")], file.packed
    return 200, headers, file.plain


def _takes_gzip(accepted: bytes) -> bool:
    for offer in accepted.lower().split(b","):
        name, _, weight = offer.partition(b";")
        if name.strip() == b"gzip":
            return weight.replace(b" ", b"").strip() not in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"}
    return False


async def _send(scope: Scope, send: Send, status: int, headers: _Headers, body: bytes) -> None:
    if status != 304:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
