"""The body of an Anthropic batch, from disk to lines on disk: one request in memory at a time. For threads."""

import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import ijson
import msgspec

from tidegate.jobs.batches.folder import Part
from tidegate.jobs.batches.records import LONGEST_LINE
from tidegate.jobs.desk.errors import Fault, Refused

MOST_BYTES: Final = 268_435_456  # of a body: Anthropic's 256 MB
MOST_REQUESTS: Final = 100_000
_LONGEST_NAME: Final = 64
_READ: Final = 65_536
_FIELDS: Final = ("requests", "webhook")
_TOLD: Final = 64
_TEXT: Final = frozenset({"string", "null"})
_WITHIN: Final = frozenset({"map_key", "end_map", "end_array"})

_encode: Final = msgspec.json.Encoder().encode


class Names:
    """Which names were there already: in a private database that lies on disk when it grows."""

    __slots__ = ("_database",)

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, name: str) -> bool:
        """Whether it is new. O(log n)."""
        return self._database.execute("INSERT OR IGNORE INTO names VALUES (?)", (name,)).rowcount == 1

    def close(self) -> None:
        """Forget them."""
        self._database.close()


class _Source:
    """The body, as long as no request of it is too large: it is refused before all of it is in memory."""

    __slots__ = ("_body", "since")

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self.since = 0  # bytes since the last request was whole

    def read(self, size: int) -> bytes:
        data = self._body.read(size)
        self.since += len(data)
        if self.since > LONGEST_LINE + 2 * _READ:
            raise _too_long("requests")
        return data


class Unrolled(NamedTuple):
    """What a body came to, beside its lines."""

    total: int
    model: str  # of the first request
    webhook: object  # None = there is none; anything but a text is wrong


def unrolled(body: BinaryIO, lines: Part, most: int) -> Unrolled:
    """Write each request as a line. Raises `Refused`, `OSError`."""
    names, source = Names(), _Source(body)
    total, model, fields = 0, "", _Fields()
    try:
        for request in ijson.items(fields.requests(source), "requests.item"):
            source.since = 0
            lines.write(_line(request, total, names))
            if not total:
                model = str(request["params"].get("model", ""))
            total += 1
            if total > most:
                raise Refused(Fault.TOO_LARGE, f"requests: a batch may have {most} requests. Split it.", "requests")
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Fault.BAD_REQUEST, f"The body is not valid JSON: {str(error)[:200]}") from None
    finally:
        names.close()
    if not total:
        raise Refused(Fault.BAD_REQUEST, "requests: give a list with at least one request.", "requests")
    return Unrolled(total, model, fields.webhook)


class _Fields:
    """What stands beside the requests; whoever reads the events of the body passes by here."""

    __slots__ = ("webhook",)

    def __init__(self) -> None:
        self.webhook: object = None

    def requests(self, source: _Source) -> Iterator[tuple[str, str, Any]]:
        """The events of all of it. Raises `Refused` at the first field that is not known."""
        for prefix, event, value in ijson.parse(source, use_float=True, buf_size=_READ):
            if not prefix and event == "map_key" and value not in _FIELDS:
                told = f"'{value[:_TOLD]}' is not known here. Leave it out; known: {', '.join(_FIELDS)}."
                raise Refused(Fault.BAD_REQUEST, told, value[:_TOLD])
            if prefix == "webhook" and event not in _WITHIN:
                self.webhook = value if event in _TEXT else False
            yield prefix, event, value


def _line(request: Any, index: int, names: Names) -> bytes:
    where = f"requests.{index}"
    if not isinstance(request, dict) or not isinstance(request.get("params"), dict):
        raise Refused(Fault.BAD_REQUEST, f"{where}.params: give an object, as POST /v1/messages takes it.", where)
    name = request.get("custom_id")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not _is_plain(name):
        said = f"{where}.custom_id: give 1 to {_LONGEST_NAME} letters, digits, '-' or '_'."
        raise Refused(Fault.BAD_REQUEST, said, f"{where}.custom_id")
    if not names.add(name):
        said = f"{where}.custom_id: '{name}' stands twice; each custom_id must be unique in its batch."
        raise Refused(Fault.BAD_REQUEST, said, f"{where}.custom_id")
    line = _encode({"custom_id": name, "params": request["params"]}) + b"\n"
    if len(line) > LONGEST_LINE:
        raise _too_long(where)
    return line


def _too_long(where: str) -> Refused:
    return Refused(Fault.TOO_LARGE, f"{where}: a request may have {LONGEST_LINE} bytes.", where)


def _is_plain(name: str) -> bool:
    return (name.isascii() and name.replace("-", "").replace("_", "").isalnum()) or set(name) <= {"-", "_"}
