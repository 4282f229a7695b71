"""What requests say in their query, their head and small JSON bodies. Every refusal names the field and the remedy."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.hooks.check import check
from tidegate.model.jobs import JobSettings

_TOLD: Final = 64
_SHORTEST: Final = 3_600
_LONGEST: Final = 2_592_000
_MOST_PAIRS: Final = 16
_MOST_KEY: Final = 64
_MOST_VALUE: Final = 512

_object: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query."""
    told = request.query_params.get(name)
    if told is None:
        return default
    if not told.isascii() or not told.isdecimal() or not least <= int(told[:12]) <= most:
        raise Refused(Fault.BAD_REQUEST, f"{name}: give a whole number from {least} to {most}.", name)
    return int(told)


def word(request: Request, name: str, words: Sequence[str], default: str) -> str:
    """One of a few words of the query."""
    told = request.query_params.get(name, default)
    if told not in words:
        known = ", ".join(one for one in words if one)
        raise Refused(Fault.BAD_REQUEST, f"{name}: '{told[:_TOLD]}' is not known; give one of {known}.", name)
    return told


def length(request: Request) -> int:
    """The body's, as its head says; 0 = it does not."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdecimal() else 0


def expiry(anchor: object, seconds: object, name: str) -> int:
    """How long a file is kept; 0 = nothing was said."""
    if anchor is None and seconds is None:
        return 0
    if anchor != "created_at":
        raise Refused(Fault.BAD_REQUEST, f"{name}.anchor: give 'created_at'.", f"{name}.anchor")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = int(seconds[:12])
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not _SHORTEST <= seconds <= _LONGEST:
        message = f"{name}.seconds: give a whole number from {_SHORTEST} to {_LONGEST}."
        raise Refused(Fault.BAD_REQUEST, message, f"{name}.seconds")
    return seconds


def fields_of(body: bytes, known: Sequence[str]) -> dict[str, Any]:
    """A JSON object with fields of these names."""
    try:
        fields = _object(body)
    except msgspec.ValidationError:
        raise Refused(Fault.BAD_REQUEST, "The body is no JSON object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Fault.BAD_REQUEST, f"The body is no JSON: {str(error)[:200]}.") from None
    for name in fields:
        if name not in known:
            message = f"'{name[:_TOLD]}' is not known here. Known: {', '.join(known)}."
            raise Refused(Fault.BAD_REQUEST, message, name[:_TOLD])
    return fields


def text(fields: dict[str, Any], name: str) -> str:
    """A text that must be there."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(Fault.BAD_REQUEST, f"{name}: {'is missing' if value is None else 'give a text'}.", name)
    return value


def webhook(value: object, settings: JobSettings) -> str:
    """Who is told of the end; "" = nobody."""
    if value is None or value == "":
        return ""
    problem = check(value, settings) if isinstance(value, str) else "webhook: give a URL."
    if problem:
        raise Refused(Fault.BAD_REQUEST, problem, "webhook")
    return str(value)


def metadata(value: object) -> bytes:
    """Up to 16 pairs of texts, as JSON; b"" = none."""
    if value is None:
        return b""
    name = "metadata"
    if not isinstance(value, dict) or len(value) > _MOST_PAIRS:
        raise Refused(Fault.BAD_REQUEST, f"{name}: give an object with at most {_MOST_PAIRS} fields.", name)
    for key, told in value.items():
        if len(key) > _MOST_KEY or not isinstance(told, str) or len(told) > _MOST_VALUE:
            message = f"{name}: give names of at most {_MOST_KEY}, and texts of at most {_MOST_VALUE} characters."
            raise Refused(Fault.BAD_REQUEST, message, f"{name}.{key[:_TOLD]}")
    return _encode(value)


def page(found: list[dict[str, Any]], limit: int, *, named: bool = True) -> dict[str, Any]:
    """A list of one more than `limit`, where there are more."""
    data = found[:limit]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    told = {"data": data, "first_id": first, "last_id": last, "has_more": len(found) > limit}
    return {"object": "list", **told} if named else told


def not_found(what: str, name: str) -> Refused:
    """There is none, or none of theirs."""
    return Refused(Fault.NOT_FOUND, f"No such {what}: '{name[:_TOLD]}'.", "id")
