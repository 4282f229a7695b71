"""Values as YAML text, written so that they are read back as what they are."""

import json
import re
from collections.abc import Mapping, Sequence

from tidegate.config.nodes import core_scalar

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?:[ :][A-Za-z0-9_./@+-]+)*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_STEP = 2


def scalar(value: object, style: str | None = None) -> str:
    """A scalar on one line; text in the quotes that stood there before (`'` or `"`), else in none if it needs none."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    text = str(value)
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if style is None and _PLAIN.fullmatch(text) and text.lower() not in _WORDS and isinstance(core_scalar(text), str):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes, on one line, with nothing in it that a YAML reader refuses."""
    safe = "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)
    return '"' + safe.replace("\\", "\\\\").replace("\0", "\\").replace('"', '\\"') + '"'


def _escaped(sign: str) -> str:
    """With a NUL for the backslash, which is put in when all others are doubled."""
    return "\0" + json.dumps(sign)[2:-1] if ord(sign) < 0x10000 else f"\0U{ord(sign):08x}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = repr(value)
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def flow(value: object) -> str:
    """On one line, for a place between brackets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(name))}: {flow(one)}" for name, one in value.items()) + "}"
    if _is_list(value):
        return "[" + ", ".join(flow(one) for one in value) + "]"  # type: ignore[attr-defined]
    return scalar(value)


def block(value: object, indent: int) -> list[str]:
    """A mapping or list that is not empty, line by line, each indented."""
    lead = " " * indent
    if isinstance(value, Mapping):
        return [line for name, one in value.items() for line in entry(scalar(str(name)) + ":", one, indent)]
    lines: list[str] = []
    for one in value if _is_list(value) else ():  # type: ignore[attr-defined]
        if isinstance(one, Mapping) and one:
            first, *rest = block(one, indent + _STEP)
            lines += [f"{lead}- {first.lstrip(' ')}", *rest]
        else:
            lines += entry("-", one, indent)
    return lines


def entry(head: str, value: object, indent: int) -> list[str]:
    """A name with its colon, or a dash, and its value behind or below it."""
    lead = " " * indent
    if (isinstance(value, Mapping) or _is_list(value)) and value:
        return [f"{lead}{head}", *block(value, indent + _STEP)]
    return [f"{lead}{head} {flow(value)}"]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
