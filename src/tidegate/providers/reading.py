"""What reading a request body has in common, whoever's API it is for."""

import re

import msgspec

from tidegate.providers.codec import BadRequest

UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
NOTHING = frozenset({b"", b"null", b'""', b"{}", b"[]", b"false"})  # what stands in a field that states nothing
_USUAL_TIERS = frozenset({"", "auto", "default", "standard", "on_demand"})
_MAX_MODEL = 256  # characters; longer than any name in use, short enough to be remembered and told
# Some providers have the name in the path, where this would lead elsewhere, with the gate's key (RFC 3986, 5.2.4).
_DOTS = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|$)")
_decode_any = msgspec.json.Decoder().decode


def bad(error: Exception) -> BadRequest:
    """Why a body could not be decoded (`UNREADABLE`), in words that name the field."""
    if isinstance(error, UnicodeDecodeError):
        return BadRequest(f"The body is not UTF-8 (byte {error.start}). Send JSON encoded as UTF-8.")
    if isinstance(error, msgspec.ValidationError):
        return BadRequest(*_wrong_type(str(error)))
    problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return BadRequest(f"We could not parse the JSON body of your request: {problem}.")


def model(name: str | None) -> str:
    """The model that a body names. Raises `BadRequest`."""
    if not name:
        raise BadRequest("You must provide a model parameter.", "model")
    if len(name) > _MAX_MODEL or not name.isprintable():
        raise BadRequest(f"Invalid 'model': a name has at most {_MAX_MODEL} printable characters.", "model")
    if "." in name and _DOTS.search(name) is not None:
        raise BadRequest("Invalid 'model': a name, or a part of it between slashes, is not '.' or '..'.", "model")
    return name


def tier(told: object) -> str:
    """In which service tier an answer was made, by what it says of it; "" = the usual one, or none that can be read."""
    return told if isinstance(told, str) and told not in _USUAL_TIERS else ""


def is_json(data: bytes) -> bool:
    """Whether it is JSON at all."""
    try:
        _decode_any(data)
    except UNREADABLE:
        return False
    return True


def check_json(error: Exception, data: bytes) -> None:
    """What could not be read is JSON of another shape; raises `ValueError` when it is not JSON at all."""
    if not isinstance(error, msgspec.ValidationError) or not is_json(data):
        raise ValueError(str(error)) from None


def _wrong_type(message: str) -> tuple[str, str]:
    problem, _, where = message.partition(" - at `$")
    param = where.rstrip("`").lstrip(".")
    return (f"Invalid type for '{param}': {problem}." if param else f"Invalid body: {problem}."), param
