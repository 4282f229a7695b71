"""What the commands that manage a running gate share: they call its admin API, and say plainly why they could not."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, quote, urlencode, urlsplit

DEFAULT_URL = "http://127.0.0.1:8081"
VARIABLE = "TIDEGATE_ADMIN_TOKEN"
URL_VARIABLE = "TIDEGATE_ADMIN_URL"
_SECONDS = 30.0
PAGE = 1_000  # of a list, unless another number is asked for
_MOST = 256 * 1024 * 1024  # bytes of an answer
Json = dict[str, object]


class Failed(Exception):
    """What the user reads, and the exit status: 1 = not done, 2 = wrong usage."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def add_connection(parser: ArgumentParser) -> None:
    """Where the gate is, and who asks."""
    url = os.environ.get(URL_VARIABLE) or DEFAULT_URL
    parser.add_argument("--admin-url", default=url, metavar="URL", help=f"default: ${URL_VARIABLE}, else {DEFAULT_URL}")
    parser.add_argument("--token-file", metavar="FILE", help=f"a file with the admin token; else ${VARIABLE}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def token_of(args: Namespace) -> str:
    """The admin token. Raises `Failed`."""
    if args.token_file:
        try:
            text = Path(args.token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"--token-file {args.token_file}: {_reason(error)}", 2) from None
    else:
        text = os.environ.get(VARIABLE, "").strip()
    if not text:
        raise Failed(f"no admin token: set {VARIABLE}, or give --token-file; `tidegate admin token` makes one", 2)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Failed("the admin token cannot hold spaces, line breaks or other such characters", 2)
    return text


def address(url: str, option: str, example: str) -> SplitResult:
    """The parts of a gate's URL. Raises `Failed` for what is none."""
    parts = urlsplit(url)
    try:
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Failed(f"{option} {url}: write it as {example}", 2)
    return parts


class AdminClient:
    """Calls one gate's admin API."""

    __slots__ = ("_seconds", "_token", "_url")

    def __init__(self, url: str, token: str, seconds: float = _SECONDS) -> None:
        """It waits so long for an answer. Raises `Failed` for what is no URL of an admin port."""
        self._seconds = seconds
        self._url = address(url, "--admin-url", DEFAULT_URL)
        self._token = token

    def call(self, method: str, path: str, body: object = None) -> object:
        """The JSON answer, None when there is none. `path` is below `/admin/v1`. Raises `Failed`."""
        _, data = self.raw(method, path, body)
        return json.loads(data) if data else None

    def raw(self, method: str, path: str, body: object = None) -> tuple[str, bytes]:
        """The answer's media type and bytes. Raises `Failed`."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        make = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = make(str(self._url.hostname), self._url.port, timeout=self._seconds)
        try:
            connection.request(method, f"{self._url.path.rstrip('/')}/admin/v1{path}", data, headers)
            answer = connection.getresponse()
            said = answer.read(_MOST)
        except (OSError, HTTPException) as error:
            where = f"{self._url.scheme}://{self._url.netloc}"
            raise Failed(
                f"no gate answers at {where} ({_reason(error)}): is it running? else give --admin-url"
            ) from None
        finally:
            connection.close()
        if answer.status >= 400:
            raise Failed(_refusal(answer.status, said))
        return answer.headers.get_content_type(), said


def path(*parts: str) -> str:
    """A path of names."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def query(**values: object) -> str:
    """`?name=value&…` of what is given; a list stands for several."""
    given = {name: value for name, value in values.items() if value not in (None, "", 0)}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def carry_out(args: Namespace, work: Callable[[AdminClient, Namespace], None]) -> int:
    """Do it; 0, or the status of what went wrong, which is told."""
    try:
        work(AdminClient(args.admin_url, token_of(args)), args)
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status
    return 0


def everything(client: AdminClient, where: str) -> list[object]:
    """A list, page by page."""
    found: list[object] = []
    while True:
        page = client.call("GET", f"{where}{query(offset=len(found))}")
        if not isinstance(page, list):
            raise Failed("the gate answered something else than a list")
        found += page
        if len(page) < PAGE:
            return found


def show(args: Namespace, found: object, columns: Sequence[str]) -> None:
    """Records as JSON, or as a table of `columns` (`limits.rpm` = inside)."""
    if args.json:
        json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
        print()
        return
    records = found if isinstance(found, list) else [found]
    rows = [[cell(record, column) for column in columns] for record in records]
    table([column.rpartition(".")[2].replace("_", " ") for column in columns], rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns; what is empty throughout is left out."""
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    lines = [[heads[at].upper() for at in kept], *([row[at] for at in kept] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(kept))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def cell(record: object, column: str) -> str:
    """A value as it stands in a table: on one line, and nothing that a terminal would act on."""
    value = record
    for name in column.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value in (None, [], {}):
        return ""
    if isinstance(value, list):
        value = ",".join(str(item) for item in value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _refusal(status: int, said: bytes) -> str:
    try:
        faults = json.loads(said)["errors"]
        lines = [f"{fault['field']}: {fault['problem']}; {fault['remedy']}" for fault in faults]
    except (ValueError, KeyError, TypeError):
        return f"the gate answered {status}, and not as an admin port does: check --admin-url"
    return "\n       ".join(lines)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
