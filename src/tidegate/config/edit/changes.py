"""Changes of values, made in the text itself: what is not concerned keeps every character.

Whatever is done, the result is read again and held against the data that it should have; what cannot be done so
(aliases, merged mappings) is refused, and never done by halves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidegate.config.edit.splice import Edit, add, remove, replace
from tidegate.config.edit.tree import Item, Tree, Uneditable, plain, scalar_of, tree_of
from tidegate.config.findings import Finding, Path, dotted
from tidegate.config.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode, YamlError, compose

MOST = 500  # changes at a time
_REMEDY = "change it in the text"
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A value is to stand at `path`, or nothing. A number that follows a list's last one adds to it."""

    path: Path
    value: object = None
    remove: bool = False


class CannotChange(ValueError):
    """With the finding that says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence())
        self.finding = finding


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text after all changes, in their order. Raises `CannotChange`, `YamlError` for a text that is none.

    Scalars that are only replaced cost one reading of the text together; each other change costs several.
    """
    editor: _Editor | None = None
    for change in changes:
        editor = editor or _Editor(text)
        try:
            if editor.overlay(change):
                continue
            text = _Editor(editor.done()).change(change)
        except Uneditable as error:
            raise CannotChange(_finding(editor.tree.text, error.at, change.path, str(error))) from None
        except YamlError:
            raise CannotChange(_finding(text, 0, change.path, "the text cannot be changed so")) from None
        editor = None
    return text if editor is None else editor.done()


def changed(data: object, change: Change) -> object:
    """Plain data after a change: what the text must say then."""
    if not change.path:
        return change.value
    return _set(data, change.path, change)


def _set(data: object, path: _Path, change: Change) -> object:
    part, rest = path[0], path[1:]
    if isinstance(part, int) and isinstance(data, (list, type(None))):
        items = list(data or [])
        if change.remove and not rest:
            return items[:part] + items[part + 1 :]
        if part > len(items):
            raise Uneditable("the list is shorter")
        before = items[part] if part < len(items) else None
        if change.remove and before is None:
            return data
        items[part : part + 1] = [_set(before, rest, change) if rest else change.value]
        return items
    if isinstance(part, str) and isinstance(data, (dict, type(None))):
        mapping = dict(data or {})
        if change.remove and (not rest or mapping.get(part) is None):
            if part in mapping and not rest:
                del mapping[part]
                return mapping
            return data
        mapping[part] = _set(mapping.get(part), rest, change) if rest else change.value
        return mapping
    raise Uneditable("what stands here is of another kind")


class _Editor:
    """One text, read once."""

    def __init__(self, text: str) -> None:
        self.tree = tree_of(text)
        self._edits: list[Edit] = []

    def overlay(self, change: Change) -> bool:
        """Note the replacement of one scalar by another; False: it is no such change, and nothing is noted."""
        if change.remove or isinstance(change.value, (Mapping, list)) or not change.path:
            return False
        found = self._find(change.path)
        if found is None:
            return False
        parent, item, flowing = found
        if not isinstance(item.node, ScalarNode) or item.node.style in ("|", ">"):
            return False
        if any(one.start <= item.end and item.open <= one.end for one in self._edits):
            return False
        if not _same(scalar_of(item.node), change.value):
            edits = replace(self.tree, parent, item, change.value, flowing=flowing)
            if not all(_reads_as(edit.text, change.value) for edit in edits):
                return False
            self._edits += edits
        return True

    def done(self) -> str:
        """The text with what was noted."""
        return _spliced(self.tree.text, self._edits)

    def change(self, change: Change) -> str:
        """The text after one change of any kind, read again to be sure."""
        before = plain(self.tree.root)
        wanted = changed(before, change)
        if _same(before, wanted):
            return self.tree.text
        text = self._made(before, wanted)
        try:
            now = plain(tree_of(text).root)
        except YamlError:
            now = Uneditable
        if not _same(now, wanted):
            at = self._nearest(change.path)
            raise Uneditable("an alias, an anchor or merged values (<<) have a part in this", at)
        return text

    def _made(self, before: object, wanted: object) -> str:
        """Step by step towards what is wanted; each step is one edit of the text."""
        tree, data = self.tree, before
        for _ in range(10_000):
            step = _step(tree, None, tree.root, data, wanted, flowing=False)
            if step is None:
                return tree.text
            text = _spliced(tree.text, step)
            if text == tree.text:
                return text
            tree = tree_of(text)
            data = plain(tree.root)
            if _same(data, wanted):
                return text
        raise Uneditable("too many values at a time")

    def _find(self, path: _Path) -> tuple[Node, Item, bool] | None:
        node, flowing = self.tree.root, False
        found: tuple[Node, Item, bool] | None = None
        for part in path:
            if node is None:
                return None
            flowing = flowing or _is_flow(node)
            item = _child(self.tree, node, part)
            if item is None or item.alias or item.node.anchor:
                return None
            found = (node, item, flowing)
            node = item.node
        return found

    def _nearest(self, path: _Path) -> int:
        node, at = self.tree.root, 0
        for part in path:
            item = _child(self.tree, node, part) if node is not None else None
            if item is None:
                break
            at, node = item.start, item.node
        return at


def _child(tree: Tree, node: Node, part: str | int) -> Item | None:
    items = tree.items(node)
    if isinstance(part, int):
        return items[part] if isinstance(node, SequenceNode) and part < len(items) else None
    if not isinstance(node, MappingNode):
        return None
    return next((one for one in items if one.name == part), None)


def _step(
    tree: Tree, around: tuple[Node, Item] | None, node: Node | None, data: object, wanted: object, *, flowing: bool
) -> list[Edit] | None:
    """The edit for the first difference below `node`; None: there is none."""
    if _same(data, wanted):
        return None
    flowing = flowing or _is_flow(node)
    if node is not None and (around is None or not (around[1].alias or node.anchor)):
        if (
            isinstance(node, MappingNode)
            and isinstance(wanted, dict)
            and isinstance(data, dict)
            and node.value
            and wanted
        ):
            return _step_mapping(tree, node, data, wanted, flowing=flowing)
        if isinstance(node, SequenceNode) and isinstance(wanted, list) and isinstance(data, list) and data and wanted:
            return _step_list(tree, node, data, wanted, flowing=flowing)
    if around is None:
        return replace(tree, None, None, wanted, flowing=False)
    parent, item = around
    if item.node.anchor and not item.alias:
        raise Uneditable("an anchor stands here, which other places use", item.start)
    return replace(tree, parent, item, wanted, flowing=bool(flowing and _is_flow(parent)))


def _step_mapping(
    tree: Tree, node: MappingNode, data: dict[str, object], wanted: dict[str, object], *, flowing: bool
) -> list[Edit] | None:
    items = tree.items(node)
    for item in items:
        if item.name in wanted and item.name in data and not _same(data[item.name], wanted[item.name]):
            return _step(tree, (node, item), item.node, data[item.name], wanted[item.name], flowing=flowing)
    for item in items:
        if item.name in data and item.name not in wanted:
            return remove(tree, node, item, items)
    own = {item.name for item in items}
    for name, value in wanted.items():
        if name not in data or (name not in own and not _same(data[name], value)):
            return add(tree, node, items, name, value)
    return None


def _step_list(
    tree: Tree, node: SequenceNode, data: list[object], wanted: list[object], *, flowing: bool
) -> list[Edit] | None:
    items = tree.items(node)
    if len(data) > len(wanted):  # the first that is not there any more
        at = next((at for at, one in enumerate(wanted) if not _same(data[at], one)), len(wanted))
        return remove(tree, node, items[at], items)
    for item, was, is_ in zip(items, data, wanted, strict=False):
        if not _same(was, is_):
            return _step(tree, (node, item), item.node, was, is_, flowing=flowing)
    return add(tree, node, items, "", wanted[len(data)])


def _reads_as(text: str, value: object) -> bool:
    """Is this the value, wherever it stands?"""
    try:
        return _same(plain(compose(f"[{text}]")), [value])
    except YamlError:
        return False


def _is_flow(node: Node | None) -> bool:
    return isinstance(node, CollectionNode) and node.flow


def _same(one: object, other: object) -> bool:
    """Equal, and of the same kind: 1 is not true, and 1 is 1.0 only where it is written so."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _spliced(text: str, edits: Sequence[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _finding(text: str, at: int, path: Path, message: str) -> Finding:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Finding(line, column, dotted(path), f"cannot be changed by its value: {message}", _REMEDY)
