"""How bodies are read: wrong requests and wrong answers are told apart, and what is left out gets a name."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from tidegate.providers.translate.face import Untranslatable

T = TypeVar("T")

UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")  # what may stand in a header
_MOST = 24  # names told; a body can have any number


class Dropped:
    """The names of what is not carried over, each once, in the order of their finding."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def add(self, name: str) -> None:
        """`name` as a path of fields without positions: `messages.content.image_url.detail`."""
        if len(self._names) < _MOST:
            self._names[name] = None

    def names(self) -> tuple[str, ...]:
        return tuple(self._names)


def read_request(decode: Callable[[bytes], T], body: bytes) -> T:
    """The decoded request. Raises `Untranslatable` with the field that has the wrong type."""
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        param = where.rstrip("`").lstrip(".")
        raise Untranslatable(f"Invalid type for '{param or 'body'}': {problem}.", param) from None
    except UNREADABLE as error:
        raise Untranslatable(f"The body cannot be read: {type(error).__name__}. Send JSON encoded as UTF-8.") from None


def read_answer(decode: Callable[[bytes], T], body: bytes) -> T:
    """The decoded answer or event. Raises `ValueError` when it is not one."""
    try:
        return decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def read_inner(decode: Callable[[bytes], T], value: msgspec.Raw, param: str) -> T:
    """A part of a request that was kept raw. Raises `Untranslatable` for `param`."""
    try:
        return decode(bytes(value))
    except UNREADABLE as error:
        raise Untranslatable(f"Invalid type for '{param}': {error}.", param) from None


def nameable(name: str) -> str:
    """A field's name as it can stand in a header."""
    return name if _NAME.fullmatch(name) else "(unnamed)"


def arguments_of(text: str) -> msgspec.Raw | None:
    """The arguments of a call as a JSON object; empty ones are an empty object. None when they are something else."""
    if not text.strip():
        return msgspec.Raw(b"{}")
    try:
        data = text.encode()
        _decode_fields(data)
    except UNREADABLE:
        return None
    return msgspec.Raw(data)
