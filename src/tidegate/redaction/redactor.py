"""A body as it may be stored: a stream's texts joined, what was asked for taken out, and not longer than agreed.

JSON is looked at as what it says, not as it is written: an escaped @ is one. What is not JSON, or was cut, is looked at
piece by piece: its strings as what they say, and what stands between them as it is.
"""

import json
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from tidegate.model.bodies import is_pattern
from tidegate.redaction.events import is_stream, joined
from tidegate.redaction.guard import checked
from tidegate.redaction.kinds import RULES, Rule, is_secret_name

_SHORTEST: Final = 10  # characters in which a kind can be found; an address of e-mail may be shorter
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)', re.DOTALL)
_COLON: Final = re.compile(r"\s*:\s*")
# A picture in a message says nothing to who reads it, and would fill the room of what does.
_PICTURE: Final = re.compile(r"(data:[\w.+/-]{1,80};base64,)[A-Za-z0-9+/=_-]{64,}")


class Redacted(NamedTuple):
    """A body as it is stored, and how often something was taken out of it."""

    text: str
    times: int


class Redactor:
    """Applies a list of kinds and expressions. It counts while it works, so it is one thread's at a time."""

    __slots__ = ("_count", "_kinds", "_own", "_secrets")

    def __init__(self, redact: Sequence[str]) -> None:
        """Raises `BadPattern`, and `KeyError` for a kind that there is not."""
        kinds = {word for word in redact if not is_pattern(word)}
        if kinds - RULES.keys():
            raise KeyError(", ".join(sorted(kinds - RULES.keys())))
        self._kinds: list[Rule] = [rule for kind, rule in RULES.items() if kind in kinds]
        own = [checked(word[1:-1]) for word in redact if is_pattern(word)]
        self._own: list[Rule] = [partial(pattern.subn, "[redacted]") for pattern in own]
        self._secrets = "secrets" in kinds
        self._count = 0

    def body(self, body: bytes, length: int, most: int) -> Redacted:
        """A body of which `length` bytes were there, as at most `most` bytes of UTF-8. O(bytes × rules)."""
        self._count = 0
        cut = length > len(body)
        stream = is_stream(body)
        text = _dumped(self._value(joined(body, cut=cut))) if stream else self._document(body, cut=cut)
        if cut and not stream:
            # Behind `most` stands a margin, so that nothing that is looked for lies across the cut.
            text = _first(text, len(text.encode("utf-8", "replace")) - (len(body) - min(len(body), most)))
        return Redacted(_first(text.replace("\x00", "\ufffd"), most), self._count)

    def _document(self, body: bytes, *, cut: bool) -> str:
        text = body.decode("utf-8", "replace")
        if not cut:
            try:
                return _dumped(self._value(json.loads(text)))
            except (ValueError, RecursionError):
                self._count = 0
        return self._pieces(text)

    def _value(self, value: Any, name: str = "") -> Any:
        """A JSON value without what is looked for. `name`: of the member that it is, "" = none."""
        if isinstance(value, str):
            return self._string(value, name)
        if isinstance(value, dict):
            return {self._text(key): self._value(member, key) for key, member in value.items()}
        if isinstance(value, list):
            return [self._value(item, name) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            told = str(value)
            text = self._text(told)
            return value if text == told else text
        return value

    def _string(self, text: str, name: str) -> str:
        if self._secrets and name and text and is_secret_name(name):
            self._count += 1
            return "[secret]"
        return self._text(text)

    def _text(self, text: str) -> str:
        if not text:
            return text
        if len(text) >= _SHORTEST or "@" in text:
            text = _PICTURE.sub(r"\1[left out]", text)
            text = self._applied(self._kinds, text)
        return self._applied(self._own, text) if self._own else text

    def _applied(self, rules: list[Rule], text: str) -> str:
        for rule in rules:
            text, count = rule(text)
            self._count += count
        return text

    def _pieces(self, text: str) -> str:
        """Strings and what is between them, each looked at alone."""
        made: list[str] = []
        behind, name, after_name = 0, "", ""
        for found in _STRING.finditer(text):
            between = text[behind : found.start()]
            made.append(self._text(between))
            name = after_name if _COLON.fullmatch(between) else ""
            told = _said(found[0])
            clean = self._string(told, name)
            made.append(found[0] if clean == told else _written(clean, closed=found[0].endswith('"')))
            behind, after_name = found.end(), told
        made.append(self._text(text[behind:]))
        return "".join(made)


def _said(string: str) -> str:
    """What a JSON string says; one that is cut, or wrong, as far as it can be read."""
    closed = len(string) > 1 and string.endswith('"') and not string.endswith('\\"')
    for shorter in range(1 if closed else 7):
        try:
            return str(json.loads(string if closed else f'{string[: len(string) - shorter]}"', strict=False))
        except ValueError:
            continue
    return string[1:-1] if closed else string[1:]


def _written(text: str, *, closed: bool) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return written if closed else written[:-1]


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _first(text: str, most: int) -> str:
    """As many characters as fit into so many bytes of UTF-8; lone surrogates become question marks."""
    return text.encode("utf-8", "replace")[: max(0, most)].decode("utf-8", "ignore")
