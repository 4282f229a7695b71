"""Edits of a text: a value replaced, added or removed, in the way its surroundings are written."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.config.edit.emit import block, entry, flow, scalar
from tidegate.config.edit.tree import Item, Tree
from tidegate.config.nodes import CollectionNode, MappingNode, Node, ScalarNode

_STEP = 2


class Edit(NamedTuple):
    """`text` in the place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


def replace(tree: Tree, parent: Node | None, item: Item | None, value: object, *, flowing: bool) -> list[Edit]:
    """Another value for an item; without an item, for the whole text, which had no value that could be kept."""
    if item is None or parent is None:
        return _whole(tree, value)
    below = _is_collection(value) and bool(value) and not flowing
    if isinstance(item.node, ScalarNode) and not below and not item.alias and item.end > item.open:
        return _scalar(tree, item, value)
    in_list = not item.name and not isinstance(parent, MappingNode)
    if not below:
        return [Edit(item.open, item.end, " " + flow(value) if not (flowing and in_list) else flow(value))]
    column = tree.column(item.start)
    lines = block(value, column + _STEP)
    if in_list:
        text = tree.newline.join(lines)
        return [
            Edit(item.open, item.end, " " + text.lstrip(" ") if isinstance(value, Mapping) else tree.newline + text)
        ]
    text = tree.newline + tree.newline.join(lines)
    if "\n" in tree.text[item.open : item.end]:
        keep = tree.newline if tree.text[item.open : item.end].endswith("\n") else ""
        return [Edit(item.open, item.end, text + keep)]
    end = tree.line_end(item.end)  # a comment behind the former value stays behind the name
    if end == item.end:
        return [Edit(item.open, item.end, text)]
    return [Edit(item.open, item.end, ""), Edit(end, end, text)]


def _scalar(tree: Tree, item: Item, value: object) -> list[Edit]:
    start, style = item.node.start, item.node.style if isinstance(item.node, ScalarNode) else None
    if style in ("|", ">"):
        keep = tree.newline if tree.text[start : item.end].endswith("\n") else ""
        return [Edit(start, item.end, flow(value) + keep)]
    text = flow(value) if _is_collection(value) else scalar(value, style if isinstance(value, str) else None)
    return [Edit(start, item.end, text)]


def add(tree: Tree, parent: Node, items: Sequence[Item], name: str, value: object) -> list[Edit]:
    """One more item behind those of a mapping or list that has some."""
    last = items[-1]
    mapping = isinstance(parent, MappingNode)
    if isinstance(parent, CollectionNode) and parent.flow:
        text = f"{flow(name)}: {flow(value)}" if mapping else flow(value)
        return [Edit(last.end, last.end, f", {text}")]
    head = f"{scalar(name)}:" if mapping else "-"
    column = tree.column(items[0].start)
    lines = entry(head, value, column) if mapping else block([value], column)
    text = tree.newline.join(lines)
    if last.end and tree.text[last.end - 1] == "\n":  # behind a block of text, which has taken its line's end
        return [Edit(last.end, last.end, text + tree.newline)]
    end = tree.line_end(last.end)
    return [Edit(end, end, tree.newline + text)]


def remove(tree: Tree, parent: Node, item: Item, items: Sequence[Item]) -> list[Edit]:
    """Without one item of several; a comment behind it on its line goes with it."""
    at = items.index(item)
    following = items[at + 1] if at + 1 < len(items) else None
    if isinstance(parent, CollectionNode) and parent.flow:
        if at:
            return [Edit(items[at - 1].end, item.end, "")]
        return [Edit(item.start, following.start if following is not None else item.end, "")]
    start = tree.line_start(item.start)
    if tree.text[start : item.start].strip(" "):  # behind a dash
        if following is None:
            return [Edit(item.start, item.end, "")]
        return [Edit(item.start, following.start, "")]
    if tree.text[item.end - 1] == "\n":
        return [Edit(start, item.end, "")]
    end = tree.text.find("\n", item.end)
    if end >= 0:
        return [Edit(start, end + 1, "")]
    return [Edit(max(start - len(tree.newline), 0), len(tree.text), "")]


def _whole(tree: Tree, value: object) -> list[Edit]:
    text, root = tree.text, tree.root
    made = tree.newline.join(block(value, 0)) if _is_collection(value) and value else flow(value)
    start = len(text) if root is None else root.start
    end = len(text) if root is None else tree.end(root)
    lead = tree.newline if root is None and text and not text.endswith("\n") else ""
    tail = "" if text[end:].startswith(("\n", "\r")) else tree.newline
    return [Edit(start, end, lead + made + tail)]


def _is_collection(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))
