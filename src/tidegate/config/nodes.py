"""YAML text to nodes that know where they stand, by libyaml. YAML 1.2: `yes`, `on` and `12:30` are text.

libyaml tells what it meets; the nodes are our own: they keep their anchors, an anchor may be given again, and what is
nested without end is refused before it can exhaust the stack.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tidegate.config.findings import Finding

try:
    from yaml.cyaml import CBaseLoader as Parser
except ImportError:  # built without libyaml
    Parser = None  # type: ignore[assignment, misc]

MAX_DEPTH = 32
MAX_NESTING = 100  # levels that become nodes: of those below `MAX_DEPTH` it is told which value is the first

CORE = "tag:yaml.org,2002:"
NULL, BOOL, INT, FLOAT, TEXT, MERGE, _LIST, _MAP = (
    CORE + name for name in ("null", "bool", "int", "float", "str", "merge", "seq", "map")
)

_INT = re.compile(r"[-+]?[0-9][0-9_]{0,99}|0o[0-7][0-7_]{0,99}|0x[0-9a-fA-F][0-9a-fA-F_]{0,99}")
_FLOAT = re.compile(r"(?=.*[.eE])[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS = {**dict.fromkeys(("", "~", "null", "Null", "NULL"), NULL), **dict.fromkeys(_BOOLS, BOOL), "<<": MERGE}
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DIGITS = 100  # of a whole number, at most
_OF_NUMBERS = frozenset("-+.0123456789")
_BOM = "\ufeff"


@dataclass(slots=True, eq=False)
class Node:
    """A value: from `start` to `end`, positions in the text that count characters; line and column count from 1."""

    tag: str
    start: int
    end: int
    line: int
    column: int
    anchor: str | None


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """Text, as it is read. `style` is how it begins: a quote, `|` or `>`, None = plain."""

    value: str
    style: str | None


@dataclass(slots=True, eq=False)
class CollectionNode(Node):
    """A list or mapping; `flow`: in brackets."""

    flow: bool


@dataclass(slots=True, eq=False)
class SequenceNode(CollectionNode):
    """A list."""

    value: list[Node]


@dataclass(slots=True, eq=False)
class MappingNode(CollectionNode):
    """Names and values in their order, also those given twice."""

    value: list[tuple[Node, Node]]


class YamlError(ValueError):
    """Text that is no YAML, with the one finding that says where and why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.sentence())


def core_scalar(text: str) -> object:
    """What a plain scalar means in YAML 1.2: a number, true or false, else the text itself."""
    if text.isdecimal() and text.isascii() and len(text) <= _DIGITS:
        return int(text)
    if _INT.fullmatch(text):
        digits = text.replace("_", "")
        return int(digits, 0 if digits[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return _BOOLS.get(text, text)


def compose(text: str) -> Node | None:
    """The nodes of `text`; None: it is empty. Raises `YamlError`. O(text): half a second for each MB."""
    if Parser is None:  # its other parser reads some texts differently: nodes that share a policy would differ
        raise YamlError(Finding(1, 1, "", *_NO_LIBYAML))
    lead = 1 if text.startswith(_BOM) else 0
    text = text[lead:]
    found = _UNPRINTABLE.search(text)
    if found is not None:
        at = found.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message = "a control character cannot stand in YAML"
        raise YamlError(Finding(line, column, "", message, "remove it, or write it as an escape in quotes"))
    composer = _Composer(Parser(text).get_event, text, lead)
    try:
        return composer.document()
    except MarkedYAMLError as error:
        raise YamlError(_syntax_finding(error, text, composer.brackets)) from None


class _Composer:
    """Turns what the parser meets into nodes."""

    __slots__ = ("_anchors", "_lead", "_next", "_text", "brackets")

    def __init__(self, following: Callable[[], Any], text: str, lead: int) -> None:
        self._next = following
        self._text = text
        self._lead = lead  # characters before those that the parser sees
        self._anchors: dict[str, Node] = {}
        self.brackets: list[Any] = []  # marks of those that are open

    def document(self) -> Node | None:
        self._next()  # the stream begins
        if self._next().__class__ is StreamEndEvent:
            return None
        node = self._node(self._next(), 0)
        self._next()  # the document ends
        after = self._next()
        if after.__class__ is not StreamEndEvent:
            raise _refusal(after.start_mark, "a second document starts here", "keep one document in the file")
        return node

    def _node(self, event: Any, depth: int) -> Node:
        kind = event.__class__
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            node = self._anchors.get(event.anchor)
            if node is None:
                raise _refusal(event.start_mark, *_NO_ANCHOR)
            return node
        if depth == MAX_NESTING:
            raise _refusal(event.start_mark, "nested too deeply", f"use at most {MAX_DEPTH} levels")
        if event.flow_style:
            self.brackets.append(event.start_mark)
        made = self._sequence(event, depth + 1) if kind is SequenceStartEvent else self._mapping(event, depth + 1)
        if event.flow_style:
            self.brackets.pop()
        return made

    def _scalar(self, event: Any) -> ScalarNode:
        mark, tag, value = event.start_mark, event.tag, event.value
        if tag is None or tag == "!":
            tag = _tag(value) if event.implicit[0] else TEXT
        start, end = mark.index + self._lead, event.end_mark.index + self._lead
        node = ScalarNode(tag, start, end, mark.line + 1, mark.column + 1, event.anchor, value, event.style or None)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _sequence(self, event: Any, depth: int) -> SequenceNode:
        mark, value = event.start_mark, list[Node]()
        start = mark.index + self._lead
        node = SequenceNode(_LIST, start, start, mark.line + 1, mark.column + 1, event.anchor, event.flow_style, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        while (item := self._next()).__class__ is not SequenceEndEvent:
            value.append(self._node(item, depth))
        behind: Any = item.end_mark
        node.end = behind.index + self._lead
        return node

    def _mapping(self, event: Any, depth: int) -> MappingNode:
        mark, value = event.start_mark, list[tuple[Node, Node]]()
        start = mark.index + self._lead
        node = MappingNode(_MAP, start, start, mark.line + 1, mark.column + 1, event.anchor, event.flow_style, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        while (key := self._next()).__class__ is not MappingEndEvent:
            name = self._scalar(key) if key.__class__ is ScalarEvent else self._node(key, depth)
            found = self._next()
            item = self._scalar(found) if found.__class__ is ScalarEvent else self._node(found, depth)
            if event.flow_style and item.start == item.end:
                self._set_behind_colon(item, name)
            value.append((name, item))
        behind: Any = key.end_mark
        node.end = behind.index + self._lead
        return node

    def _set_behind_colon(self, empty: Node, name: Node) -> None:
        """A value that is left out in braces: libyaml says that it stands where the next thing does, maybe lines on."""
        text, now = self._text, empty.start - self._lead
        at = text.find(":", name.end - self._lead, now) + 1
        if at and empty.anchor is None:
            empty.line -= text.count("\n", at, now)
            empty.column = at - text.rfind("\n", 0, at)
            empty.start = empty.end = at + self._lead


def _tag(value: str) -> str:
    """Of a plain scalar."""
    if value and value[0] in _OF_NUMBERS:
        if value.isdecimal() and value.isascii() and len(value) <= _DIGITS:
            return INT
        return INT if _INT.fullmatch(value) else FLOAT if _FLOAT.fullmatch(value) else TEXT
    return _WORDS.get(value, TEXT)


_NO_LIBYAML = (
    "PyYAML is installed here without libyaml",
    "install its wheel, or libyaml's headers and then PyYAML again",
)
_NO_ANCHOR = ("an alias (*name) whose anchor (&name) is not defined above", "define the anchor first")
_NOT_YAML = ("not valid YAML", "check quotes and indentation")
_OPEN_QUOTE, _OPEN_BRACKET = (f"a {what} is opened and never closed" for what in ("quote", "bracket"))
_NO_COLON = "a name without `:`"
_FROM_ITS_BEGINNING = (_OPEN_QUOTE, _NO_COLON)
_TAB = ("a tab cannot indent", "use spaces")
_ESCAPE = "an unknown escape in double quotes"
_ALIGN = "align the line with its neighbours"
_SYNTAX = (  # (words of the parser, what we say, what would be right)
    ("tab character", *_TAB),
    ("cannot start any token", "a value cannot start with this character", "put the value in quotes"),
    ("mapping values are not allowed", "a second `: ` in one value, or a wrong indentation",
     f"put the value in quotes, or {_ALIGN}"),
    ("unexpected end of stream", _OPEN_QUOTE, "close it"),
    ("unknown escape character", _ESCAPE, "double the backslash, or use single quotes"),
    ("expected ',' or", "a comma or a closing bracket is missing", "close the bracket, or separate with commas"),
    ("could not find expected ':'", _NO_COLON, "write `name: value`"),
    ("did not find expected key", "wrong indentation, or a list item among names", _ALIGN),
    ("did not find expected '-' indicator", "wrong indentation, or a name among list items", _ALIGN),
    ("found unexpected ':'", "a `:` without a blank behind it", "write `name: value`, or put the value in quotes"),
    ("expected alphabetic or numeric", "`&` and `*` begin an anchor or alias, named with letters, digits, - and _",
     "put the value in quotes"),
    ("block sequence entries are not allowed", "a list item where none can stand", "begin it on a line of its own"),
    ("expected node content", "a name or value is missing here", 'write it, or "" for an empty one'),
    ("expected <document start>", "more stands here behind the end of the whole", "keep one mapping in the file"),
    ("undefined tag handle", "a tag (!…) that has no meaning here", "remove the tag"),
    ("incompatible YAML document", "a version of YAML that is not read here", "remove the line that begins with %YAML"),
)  # fmt: skip


def _syntax_finding(error: MarkedYAMLError, text: str, brackets: Sequence[Any]) -> Finding:
    problem, mark = error.problem or "", error.problem_mark
    if mark is None:
        return Finding(1, 1, "", *_NOT_YAML)
    if brackets and mark.index >= len(text) and "did not find expected" in problem:
        return _finding(brackets[-1], text, _OPEN_BRACKET, "close it")
    known = [(message, remedy) for words, message, remedy in _SYNTAX if words in problem]
    message, remedy = (_by_place(problem, text, mark.index) or known or [_NOT_YAML])[0]
    if message in _FROM_ITS_BEGINNING and error.context_mark is not None:
        mark = error.context_mark
    return _finding(mark, text, message, remedy)


def _finding(mark: Any, text: str, message: str, remedy: str) -> Finding:
    source = text.splitlines()[mark.line : mark.line + 1]
    if "bracket" in message and source and "${" in source[0]:
        remedy = 'inside [ ] and { } put a value with ${…} in quotes: "${NAME}"'
    return Finding(mark.line + 1, mark.column + 1 + (message == _ESCAPE), "", message, remedy)  # behind the backslash


def _by_place(problem: str, text: str, at: int) -> list[tuple[str, str]]:
    """What can be told better by what stands where the parser gave up."""
    if "cannot start" in problem and text.startswith("\t", at):
        return [_TAB]
    if "did not find expected key" in problem or "'-' indicator" in problem:
        before = text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]
        if before.strip(" -?"):
            return [("more stands here behind a value that has ended", "put all of it in one pair of quotes")]
        if "key" in problem and not text.startswith(("- ", "-\n", "-\r"), at):
            return [("wrong indentation", _ALIGN)]
    return []


def _refusal(mark: Any, message: str, remedy: str) -> YamlError:
    return YamlError(Finding(mark.line + 1, mark.column + 1, "", message, remedy))
