"""What `POST /v1/jobs` asks for, read field by field: every refusal names the field and what would be right."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from tidegate.jobs.desk import calls
from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.desk.moments import moment_us, span_us
from tidegate.jobs.hooks.check import check
from tidegate.model.call import Kind, Shape
from tidegate.model.jobs import JobSettings
from tidegate.units import SECOND_US

MOST_TAGS: Final = 8  # as `x-tidegate-tag` takes them, since they go with the call
MOST_TAG_BYTES: Final = 128
MOST_URL: Final = 2_048
PRIORITIES: Final = range(-100, 101)
LONGEST_US: Final = 366 * 86_400 * SECOND_US
_WORD: Final = re.compile(r"[A-Za-z0-9._:@-]+")
_KNOWN: Final = (
    "path", "endpoint", "body", "not_before", "deadline", "deadline_seconds", "priority", "tags", "webhook",
)  # fmt: skip
_TOLD: Final = 64  # characters of what a client made up

_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any: Final = msgspec.json.Decoder().decode

Fields = Mapping[str, msgspec.Raw]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A job as a client wants it. `body` is as it came; `shape` is what it asks for."""

    path: str
    kind: Kind
    body: bytes
    shape: Shape
    not_before_us: int = 0
    deadline_us: int
    priority: int = 0
    tags: tuple[str, ...] = ()
    webhook: str = ""


def read(data: bytes, settings: JobSettings, wall: int) -> Ask:
    """The body of the request. Raises `Refused`. O(bytes)."""
    fields = _fields(data)
    path, kind = _path(fields)
    body = bytes(fields.get("body", b""))
    if not body:
        raise _wrong("body", "is missing: send the request as it would be sent to the path itself")
    if not body.startswith(b"{"):
        raise _wrong("body", "is no object: send the request as it would be sent to the path itself")
    not_before_us = _moment(fields, "not_before")
    return Ask(
        path=path,
        kind=kind,
        body=body,
        shape=calls.shape_of(kind, body, "body"),
        not_before_us=not_before_us,
        deadline_us=_deadline(fields, not_before_us, settings, wall),
        priority=_priority(fields),
        tags=_tags(fields),
        webhook=_webhook(fields, settings),
    )


def _fields(data: bytes) -> Fields:
    try:
        data.decode()
        fields = _decode_object(data)
    except UnicodeDecodeError as error:
        raise Refused(Fault.BAD_REQUEST, f"The body is not UTF-8 (byte {error.start}). Send JSON in UTF-8.") from None
    except msgspec.ValidationError:
        raise Refused(Fault.BAD_REQUEST, "The body is no JSON object. Send one with `path` and `body`.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(Fault.BAD_REQUEST, f"The body is no JSON: {error}. Send an object.") from None
    for name in fields:
        if name not in _KNOWN:
            raise Refused(
                Fault.BAD_REQUEST, f"'{name[:_TOLD]}' is not known here. Known: {', '.join(_KNOWN)}.", name[:_TOLD]
            )
    return fields


def _wrong(field: str, problem: str) -> Refused:
    return Refused(Fault.BAD_REQUEST, f"'{field}' {problem}.", field)


def _value(fields: Fields, name: str) -> object:
    """What stands there; None where nothing does."""
    raw = fields.get(name)
    if raw is None:
        return None
    try:
        return _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        raise _wrong(name, "cannot be read") from None


def _path(fields: Fields) -> tuple[str, Kind]:
    name = "endpoint" if "endpoint" in fields and "path" not in fields else "path"
    if "endpoint" in fields and "path" in fields:
        raise _wrong("endpoint", "says the same as 'path': send one of them")
    path = _value(fields, name)
    kind = calls.kind_of(path) if isinstance(path, str) else None
    if kind is None or not isinstance(path, str):
        what = "is missing" if path is None else "can be no job"
        raise _wrong(name, f"{what}: send one of {', '.join(calls.KINDS)}")
    return path, kind


def _moment(fields: Fields, name: str) -> int:
    value = _value(fields, name)
    if value is None:
        return 0
    moment = moment_us(value)
    if moment is None:
        raise _wrong(name, "is no moment: send one as of RFC 3339 (2026-01-31T08:00:00Z), or seconds since 1970")
    return moment


def _deadline(fields: Fields, not_before_us: int, settings: JobSettings, wall: int) -> int:
    begins = max(not_before_us, wall)
    name = "deadline_seconds" if "deadline_seconds" in fields else "deadline"
    if name == "deadline_seconds":
        if _value(fields, "deadline") is not None:
            raise _wrong("deadline_seconds", "says another deadline beside 'deadline': send one of them")
        deadline = wall + _seconds(fields)
    else:
        deadline = _moment(fields, name) or begins + settings.deadline_us
    if deadline <= wall:
        raise _wrong(name, "is over already: send a later one")
    if deadline <= not_before_us:
        raise _wrong(name, "is not after 'not_before': the job could never begin")
    if deadline - wall > LONGEST_US:
        raise _wrong(name if name in fields else "not_before", "is more than 366 days away: send an earlier one")
    return deadline


def _seconds(fields: Fields) -> int:
    span = span_us(_value(fields, "deadline_seconds"))
    if span is None or not 0 < span <= LONGEST_US:
        raise _wrong("deadline_seconds", "is no number of seconds above 0 and up to 366 days")
    return span


def _priority(fields: Fields) -> int:
    value = _value(fields, "priority")
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value not in PRIORITIES:
        raise _wrong("priority", f"is no whole number from {PRIORITIES.start} to {PRIORITIES.stop - 1}")
    return value


def _tags(fields: Fields) -> tuple[str, ...]:
    value = _value(fields, "tags")
    if value is None:
        return ()
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(words) != len(value):
        raise _wrong("tags", "is no list of texts")
    told = tuple(dict.fromkeys(words))
    if len(told) > MOST_TAGS or len(", ".join(told).encode(errors="replace")) > MOST_TAG_BYTES:
        raise _wrong("tags", f"has too much: send at most {MOST_TAGS} words, and {MOST_TAG_BYTES} characters in all")
    if not all(_WORD.fullmatch(word) for word in told):
        raise _wrong("tags", "has a word with other characters than letters A-Z, a-z, digits and . _ : @ -")
    return told


def _webhook(fields: Fields, settings: JobSettings) -> str:
    value = _value(fields, "webhook")
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > MOST_URL or not value.isprintable():
        raise _wrong("webhook", f"is no URL of at most {MOST_URL} printable characters")
    problem = check(value, settings)
    if problem:
        raise Refused(Fault.BAD_REQUEST, problem, "webhook")
    return value
