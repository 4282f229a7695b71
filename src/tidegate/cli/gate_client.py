"""What commands share that call a gate as an application does: on its data port, with a client key."""

import json
import os
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path

from tidegate.cli.manage import Failed, Json, address

DEFAULT_URL = "http://127.0.0.1:8080"
URL_VARIABLE = "TIDEGATE_URL"
KEY_VARIABLE = "TIDEGATE_KEY"
_SECONDS = 75.0
_PIECE = 1 << 16
_UNAVAILABLE = 503
_MOST = 256 * 1024 * 1024  # bytes of an answer


def add_connection(parser: ArgumentParser) -> None:
    """Where the gate is, and with which key."""
    url = os.environ.get(URL_VARIABLE) or DEFAULT_URL
    parser.add_argument("--url", default=url, metavar="URL", help=f"default: ${URL_VARIABLE}, else {DEFAULT_URL}")
    parser.add_argument("--key-file", metavar="FILE", help=f"a file with the client key; else ${KEY_VARIABLE}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


class Away(Failed):
    """Nobody answers, or patient work is away: it may be there again soon."""


class GateClient:
    """One gate and one key."""

    __slots__ = ("_key", "_url")

    def __init__(self, args: Namespace) -> None:
        """Raises `Failed` for what is no URL or key."""
        self._url = address(args.url, "--url", DEFAULT_URL)
        self._key = _key(args)

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Json:
        """The JSON object that is answered; `path` is the whole one. Raises `Failed`, of it `Away`."""
        data = None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} if data is not None else {}
        return _object(self._sent(method, path, data, given | (headers or {})))

    def raw(self, path: str) -> bytes:
        """What is there, whatever it is. Raises `Failed`."""
        return self._sent("GET", path, None, {})

    def upload(self, file: Path, purpose: str) -> Json:
        """A file for batches, sent as it is read. Raises `Failed`."""
        edge = f"tidegate-{secrets.token_hex(16)}"
        part = f'--{edge}\r\ncontent-disposition: form-data; name="{{}}"'
        name = file.name.replace('"', "%22")
        head = f'{part.format("purpose")}\r\n\r\n{purpose}\r\n{part.format("file")}; filename="{name}"\r\n'
        first = f"{head}content-type: application/jsonl\r\n\r\n".encode()
        last = f"\r\n--{edge}--\r\n".encode()
        try:
            size = len(first) + file.stat().st_size + len(last)
            pieces = _pieces(first, file, last)
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}", 2) from None
        headers = {"content-type": f"multipart/form-data; boundary={edge}", "content-length": str(size)}
        return _object(self._sent("POST", "/v1/files", pieces, headers))

    def _sent(self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]) -> bytes:
        make = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = make(str(self._url.hostname), self._url.port, timeout=_SECONDS)
        shown = {"authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            connection.request(method, f"{self._url.path.rstrip('/').removesuffix('/v1')}{path}", body, headers | shown)
            answer = connection.getresponse()
            said = answer.read(_MOST)
        except (OSError, HTTPException) as error:
            where = f"{self._url.scheme}://{self._url.netloc}"
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Away(f"no gate answers at {where} ({reason}): is it running? else give --url") from None
        finally:
            connection.close()
        if answer.status == _UNAVAILABLE:
            raise Away(_refusal(answer, said))
        if answer.status >= 400:
            raise Failed(_refusal(answer, said))
        return said


def _pieces(first: bytes, file: Path, last: bytes) -> Iterator[bytes]:
    yield first
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece
    yield last


def _key(args: Namespace) -> str:
    text = os.environ.get(KEY_VARIABLE, "").strip()
    if args.key_file:
        try:
            text = Path(args.key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"--key-file {args.key_file}: {error}", 2) from None
    if not text.isascii() or " " in text or (text and not text.isprintable()):
        raise Failed("the key cannot hold spaces, line breaks or other such characters", 2)
    return text


def _object(said: bytes) -> Json:
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a JSON object: check --url")
    return found


def _refusal(answer: HTTPResponse, said: bytes) -> str:
    try:
        message = str(json.loads(said)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"it answered {answer.status}, and not as a gate does: check --url"
    hint = f"; set {KEY_VARIABLE} or give --key-file" if answer.status == 401 else ""
    return f"{answer.status}: {message}{hint}"
