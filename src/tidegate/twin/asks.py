"""What a request asks for, whatever dialect it came in: the record that every parser fills and every answer is made of.

Which tools are called is decided here, too. A tool is called for certain when the request demands one, or the last
words of the user ask for one: they carry `[tool]` (`[tools]`: all of them, in parallel), or name it. Several that are
named are called in parallel, where that is allowed.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tidegate.twin.settings import Model

TOOL_MARK: Final = "[tool]"
TOOLS_MARK: Final = "[tools]"
_LEAST_WORD: Final = 5
_COMMON: Final = frozenset({"function", "tools", "generate", "generator"})
_WORDS: Final = re.compile(r"[a-z0-9]+")
_NUMBERED: Final = re.compile(r"(?<!\w)t([0-9]{1,9})\s*$")


class Function(msgspec.Struct):
    """A function that may be called; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


@dataclass(slots=True)
class Ask:
    """One checked request. `max_tokens` 0 = not stated; `extra` are tokens beyond those of `texts`."""

    model: Model
    texts: list[str]
    extra: int
    stream: bool = False
    include_usage: bool = False
    max_tokens: int = 0
    n: int = 1
    stops: tuple[str, ...] = ()
    tools: tuple[Function, ...] = ()  # those that are called, if any is
    tool_forced: bool = False
    schema: dict[str, Any] | None = None  # the answer is JSON that fits
    hint: str = ""  # the user's last words: values of arguments are taken from them
    after: int = 0  # the number at which the assistant's prefix stopped
    thinking: int = 0  # tokens thought before the answer
    breakpoints: tuple[int, ...] | None = None  # after which texts a cached prefix may end; None = after each
    inputs: int = 1  # of an embedding
    dimensions: int = 0
    base64: bool = False
    echo: dict[str, Any] = field(default_factory=dict)  # what the reply repeats of the request
    user: str = ""  # whom the caller calls for


def offer(ask: Ask, functions: list[Function], *, forced: bool, parallel: bool, asked: bool) -> None:
    """These functions may be called. `asked`: the last turn is the user's, so that `hint` may ask for one. O(words)."""
    if not functions:
        return
    words = ask.hint if asked else ""
    named = functions if TOOLS_MARK in words else [one for one in functions if _named(one.name, words)]
    called = named or functions[:1]
    ask.tools = tuple(called if parallel else called[:1])
    ask.tool_forced = forced or (asked and (bool(named) or TOOL_MARK in words or "use the tool" in words.lower()))


def _named(name: str, words: str) -> bool:
    if not words:
        return False
    if name in words:
        return True
    said = set(_WORDS.findall(words.lower()))
    return any(
        len(part) >= _LEAST_WORD and part not in _COMMON and part in said for part in _WORDS.findall(_split(name))
    )


def _split(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def continued(prefix: str) -> int:
    """The number of the last numbered token of an assistant's prefix; 0 when it does not end with one."""
    found = _NUMBERED.search(prefix)
    return int(found[1]) if found else 0
