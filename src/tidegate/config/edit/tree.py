"""Where each value of a YAML text begins and ends, as positions in the text, so that an edit touches nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tidegate.config.nodes import (
    BOOL,
    FLOAT,
    INT,
    MAX_DEPTH,
    MERGE,
    NULL,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    compose,
    core_scalar,
)
from tidegate.config.source import MAX_VALUES

_ALIAS = re.compile(r"[ \t]*\*[^\s,\[\]{}]+")
_BEFORE = re.compile(r"[\s:]*")


class Uneditable(Exception):
    """A change that cannot be made by value. `at` is the position of what stands in its way."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a mapping or list: from `start`, where its name or dash stands, to `end`, behind its last character.

    `open` is where its value may be written: behind the colon or the dash.
    """

    name: str  # "" = of a list
    node: Node
    start: int
    open: int
    end: int
    alias: bool = False


class Tree:
    """A text and its nodes. Positions count characters."""

    __slots__ = ("_items", "root", "text")

    def __init__(self, text: str, root: Node | None) -> None:
        self.text = text
        self.root = root
        self._items: dict[Node, list[Item]] = {}

    def items(self, node: Node) -> list[Item]:
        """What stands in a mapping or list itself, in order. O(its text) for the first time, then O(1)."""
        found = self._items.get(node)
        if found is None:
            found = self._items[node] = self._made(node)
        return found

    def _made(self, node: Node) -> list[Item]:
        if isinstance(node, MappingNode):
            return [self._pair(key, value) for key, value in node.value]
        return list(self._listed(node)) if isinstance(node, SequenceNode) else []

    def end(self, node: Node) -> int:
        """Behind the last character of a value that is no alias; comments and blank lines below it are not its own."""
        if isinstance(node, (SequenceNode, MappingNode)) and not node.flow and node.value:
            return self.items(node)[-1].end
        return node.end

    def line_end(self, at: int) -> int:
        """Where the line of a position ends, before its line break."""
        found = self.text.find("\n", at)
        if found < 0:
            return len(self.text)
        return found - 1 if found > at and self.text[found - 1] == "\r" else found

    def line_start(self, at: int) -> int:
        """Where the line of a position begins."""
        return self.text.rfind("\n", 0, at) + 1

    def column(self, at: int) -> int:
        """How far a position is indented."""
        return at - self.line_start(at)

    @property
    def newline(self) -> str:
        """How lines end in this text."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def _pair(self, key: Node, value: Node) -> Item:
        name = key.value if isinstance(key, ScalarNode) else ""
        start, named = key.start, key.end
        colon = self.text.find(":", named)
        if colon < 0 or self.text[named:colon].strip() or not isinstance(key, ScalarNode):
            raise Uneditable("this name is written in a way that only the text can change", start)
        return self._item(name, value, start, colon + 1)

    def _listed(self, node: SequenceNode) -> Iterator[Item]:
        at = node.start
        if node.flow:
            at += 1
        for value in node.value:
            start = self._next(at, node)
            item = self._item("", value, start, start if node.flow else start + 1)
            yield item
            at = item.end

    def _next(self, at: int, node: SequenceNode) -> int:
        """The dash, or in brackets the first character, of the next item: behind blanks and comments."""
        text, end = self.text, node.end
        while at < end:
            if text[at] == "#":
                at = self.line_end(at)
            elif (node.flow and text[at] in " \t\r\n,") or (not node.flow and text[at] != "-"):
                at += 1
            else:
                return at
        raise Uneditable("this list is written in a way that only the text can change", node.start)

    def _item(self, name: str, value: Node, start: int, opened: int) -> Item:
        if value.start < opened and value.end <= start:  # it stands further up
            found = _ALIAS.match(self.text, opened)
            if found is None:
                raise Uneditable("an alias stands here: change the text", start)
            return Item(name, value, start, opened, found.end(), alias=True)
        empty = isinstance(value, ScalarNode) and value.start == value.end
        return Item(name, value, start, opened, opened if empty else self.end(value))


composed: Final = lru_cache(maxsize=4)(compose)
"""Remembers the last texts: one question is about the file's and what became of it, each with and without masks."""


def tree_of(text: str) -> Tree:
    """The tree of a text. Raises `YamlError`."""
    return Tree(text, composed(text))


def plain(root: Node | None) -> object:
    """The data as it is written, references to the environment not replaced. Raises `Uneditable`: it is too much."""
    return _Plain().of(root, 0)


class _Plain:
    def __init__(self) -> None:
        self._count = 0

    def of(self, node: Node | None, depth: int) -> object:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_VALUES:
            raise Uneditable("nested too deeply, or too many values")
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            return [self.of(one, depth + 1) for one in node.value]
        return scalar_of(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        sources: list[object] = []
        for key, value in node.value:
            if key.tag == MERGE:
                listed = value.value if isinstance(value, SequenceNode) else [value]
                sources += [self.of(source, depth + 1) for source in listed]
            else:
                name = key.value if isinstance(key, ScalarNode) else str(self.of(key, depth + 1))
                found[name] = self.of(value, depth + 1)
        merged: dict[str, object] = {}
        for source in reversed(sources):  # of several that bring a name the first counts
            merged.update(source if isinstance(source, dict) else {})
        return {**merged, **found} if merged else found


def scalar_of(node: ScalarNode) -> object:
    """What a scalar means."""
    if node.tag == NULL:
        return None
    if node.tag in (INT, FLOAT, BOOL):
        return core_scalar(node.value)
    return node.value
