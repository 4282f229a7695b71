"""The lines of an input: what they ask, or why they ask nothing. A piece at a time, whatever the file's size."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from tidegate.jobs.batches.records import ANTHROPIC, LONGEST_LINE, LONGEST_NAME, Ask, Fault
from tidegate.jobs.desk import calls
from tidegate.jobs.desk.errors import Refused

PIECE_LINES: Final = 500
PIECE_BYTES: Final = 4_194_304
MOST_FAULTS: Final = 100  # that a batch tells of its file
_BOM: Final = b"\xef\xbb\xbf"
_SKIP: Final = 1_048_576
_POST: Final = "POST"
_LONGEST_MODEL: Final = 128

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Raw(msgspec.Struct, frozen=True):
    """A line as it stands in the file; `text` is None where it is too long to be looked at."""

    line: int
    text: bytes | None
    end: int  # the file's position behind it


class Looked(msgspec.Struct, frozen=True):
    """What a look through a whole file found."""

    total: int = 0
    model: str = ""
    faults: tuple[Fault, ...] = ()  # why it cannot be a batch at all; () = it can


class _Wrong(Exception):
    """A line that is no request."""

    def __init__(self, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def raws(file: BinaryIO, position: int, line: int) -> Iterator[Raw]:
    """The lines that are not blank, from `position`, which is behind `line` lines. One line in memory at a time."""
    file.seek(position)
    while text := file.readline(LONGEST_LINE + 2):
        line += 1
        position += len(text)
        if not text.endswith(b"\n") and len(text) > LONGEST_LINE:
            position += _to_the_end(file)
            yield Raw(line, None, position)
            continue
        if line == 1:
            text = text.removeprefix(_BOM)
        stripped = text.strip()
        if stripped:
            yield Raw(line, stripped if len(stripped) <= LONGEST_LINE else None, position)


def _to_the_end(file: BinaryIO) -> int:
    """Skip the rest of a line; how many bytes that was."""
    skipped = 0
    while more := file.readline(_SKIP):
        skipped += len(more)
        if more.endswith(b"\n"):
            break
    return skipped


def piece(file: BinaryIO, position: int, line: int) -> list[Raw]:
    """The next 500 lines, or 4 MiB of them, and one at least; nothing: the file is at its end."""
    taken: list[Raw] = []
    for raw in raws(file, position, line):
        taken.append(raw)
        if len(taken) == PIECE_LINES or raw.end - position >= PIECE_BYTES:
            break
    return taken


def look(file: BinaryIO, kind: str, endpoint: str, most: int) -> Looked:
    """Can it be a batch: not empty, not too long, and one line at least is a request? O(bytes), flat memory."""
    total, model, faults = 0, "", list[Fault]()
    for raw in raws(file, 0, 0):
        total += 1
        if total > most:
            said = f"The file has more than {most} lines (jobs.max_batch_lines). Split it into several batches."
            return Looked(total, faults=(Fault("too_many_lines", said),))
        if not model:
            asked = read(kind, endpoint, raw)
            if isinstance(asked, Ask):
                model = asked.model
            elif len(faults) < MOST_FAULTS:
                faults.append(asked)
    if not total:
        return Looked(0, faults=(Fault("empty_file", "The file has no line with a request. Write one JSON a line."),))
    return Looked(total, model, () if model else tuple(faults))


def read(kind: str, endpoint: str, raw: Raw) -> Ask | Fault:
    """What a line asks, or what is wrong with it."""
    name = ""
    try:
        fields = _object(raw)
        name = _name(fields)
        if kind == ANTHROPIC:
            body = _body(fields, "params")
        else:
            _is(fields, "method", _POST, "invalid_method")
            _is(fields, "url", endpoint, "invalid_url")
            body = _body(fields, "body")
        return Ask(raw.line, name, _model(endpoint, body, "params" if kind == ANTHROPIC else "body"), bytes(body))
    except _Wrong as wrong:
        return Fault(wrong.code, f"Line {raw.line}: {wrong}", raw.line, wrong.param, name)


def _object(raw: Raw) -> dict[str, msgspec.Raw]:
    if raw.text is None:
        raise _Wrong("line_too_long", f"A line may have {LONGEST_LINE} bytes.")
    try:
        return _fields(raw.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Wrong("invalid_json_line", f"This is not a JSON object ({str(error)[:200]}).") from None


def _name(fields: dict[str, msgspec.Raw]) -> str:
    name = _text(fields, "custom_id")
    if not name or len(name) > LONGEST_NAME or "\0" in name:
        raise _Wrong("invalid_custom_id", f"`custom_id` must have 1 to {LONGEST_NAME} characters.", "custom_id")
    return name


def _text(fields: dict[str, msgspec.Raw], field: str) -> str:
    if field not in fields:
        raise _Wrong("missing_required_parameter", f"`{field}` is missing.", field)
    value = _value(fields[field])
    if not isinstance(value, str):
        raise _Wrong("invalid_type", f"`{field}` must be a string.", field)
    return value


def _value(raw: msgspec.Raw) -> Any:
    """None for what is no text of valid UTF-8 either."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is(fields: dict[str, msgspec.Raw], field: str, wanted: str, code: str) -> None:
    value = _text(fields, field)
    if value != wanted:
        raise _Wrong(code, f"`{field}` is '{value[:128]}', and must be '{wanted}' as the batch says.", field)


def _body(fields: dict[str, msgspec.Raw], field: str) -> msgspec.Raw:
    body = fields.get(field)
    if body is None:
        raise _Wrong("missing_required_parameter", f"`{field}` is missing.", field)
    return body


def _model(endpoint: str, body: msgspec.Raw, where: str) -> str:
    """The model that a body asks for, once it was read as the path itself would read it."""
    try:
        shape = calls.shape_of(calls.KINDS[endpoint], bytes(body), where)
    except Refused as refused:
        raise _Wrong("invalid_request", refused.message, refused.param or where) from None
    if shape.stream:
        message = f"`{where}.stream` cannot be true: a batch keeps whole answers. Leave it out."
        raise _Wrong("invalid_request", message, f"{where}.stream")
    if not shape.model or len(shape.model) > _LONGEST_MODEL or "\0" in shape.model:
        message = f"`{where}.model` must have 1 to {_LONGEST_MODEL} characters."
        raise _Wrong("invalid_request", message, f"{where}.model")
    return shape.model
