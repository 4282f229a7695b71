"""YAML text to plain data in which every value knows its line and column. YAML 1.2; anchors and merge keys work."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from tidegate.config.environment import BadReference, refers, substitute
from tidegate.config.findings import Finding, Path, dotted, shown
from tidegate.config.nodes import (
    BOOL,
    CORE,
    FLOAT,
    INT,
    MAX_DEPTH,
    MERGE,
    NULL,
    TEXT,
    CollectionNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlError,
    compose,
    core_scalar,
)
from tidegate.config.words import choice, closest, offer

Read = Callable[[str], Node | None]  # `compose`, or one that remembers

MAX_BYTES = 1_048_576
MAX_COMPARISONS = 50_000  # of words that are not known, with names: half a second
MAX_VALUES = 200_000  # bounds what aliases of aliases can multiply to

_TEXT_TAGS = frozenset({TEXT, CORE + "timestamp"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value and its name stand; lines and columns count from 1."""

    line: int
    column: int
    name_line: int
    name_column: int


@dataclass(slots=True)
class Document:
    """Data of a file, the place of each path in it, and what is wrong already."""

    data: object = None
    places: dict[Path, tuple[Node, Node | None]] = field(default_factory=dict)  # the nodes of a value and its name
    substituted: dict[Path, str] = field(default_factory=dict)  # values in which a variable was replaced, as written
    findings: list[Finding] = field(default_factory=list)
    unusable: set[Path] = field(default_factory=set)  # values already reported
    names: dict[str, str] = field(default_factory=dict)  # names that came from the environment, and their source text
    replaced: dict[str, str] = field(default_factory=dict)  # the same of values
    comparisons: int = 0  # of words that are not known with names that are
    around: set[Path] | None = None  # what has a value of `substituted` in it
    blind: bool = False  # nothing beside the text is looked at, and what depends on that is not judged

    def place(self, path: Path) -> Place:
        """The place of `path`, or of the nearest thing around it that has one."""
        while path not in self.places and path:
            path = path[:-1]
        nodes = self.places.get(path)
        return _place(*nodes) if nodes is not None else Place(1, 1, 1, 1)

    def label(self, path: Path) -> str:
        """`path` as it is printed: names from the environment as they are written in the file."""
        return dotted(tuple(self.names.get(part, part) if isinstance(part, str) else part for part in path))

    def written(self, text: str) -> str:
        """A name or value of the file as it stands there: what came from the environment by its reference."""
        return self.names.get(text) or self.replaced.get(text, text)

    def said(self, name: str) -> str:
        """A name or value as it is printed."""
        return shown(self.written(name))

    def choice(self, word: str, known: Iterable[str], otherwise: str = "", also: Iterable[str] = ()) -> str:
        """A remedy for a `word` that is none of the file's `known` names, nor of the gate's own that there are `also`.

        The one like it, else what there is, or what to do `otherwise`; without names that came from the environment.
        O(names), and O(1) once so many have been compared: to guess takes the time of errors by names.
        """
        visible = chain((name for name in known if name not in self.names and name not in self.replaced), also)
        if self.comparisons >= MAX_COMPARISONS:
            return offer(visible, otherwise)
        names = list(visible)
        self.comparisons += len(names)
        return choice(word, names, otherwise)

    def closest(self, word: str, known: Collection[str]) -> str | None:
        """The known word that is most like `word`; None when none is, or so many have been compared."""
        if self.comparisons >= MAX_COMPARISONS:
            return None
        self.comparisons += len(known)
        return closest(word, known)

    def is_replaced(self, path: Path) -> bool:
        """Did anything at this place, or in it, come from the environment? To be asked once all is read. O(path)."""
        if self.around is None:
            self.around = {path[:length] for path in self.substituted for length in range(len(path) + 1)}
        return path in self.around

    def refuse(self, path: Path, message: str, remedy: str, at: Node | None = None) -> None:
        """Note an error at the value of `path`, or at the node `at`."""
        if self.blind and path in self.substituted:
            return
        place = _place(at, at) if at is not None else self.place(path)
        self.findings.append(Finding(place.line, place.column, self.label(path), message, remedy))


def as_mapping(value: object) -> dict[str, object]:
    """`value` if it is a mapping, else an empty one: for checks that skip what has a wrong type."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def decode(raw: bytes) -> str:
    """The text of a file. Raises `YamlError` naming the line of the first byte that is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise YamlError(Finding(line, column, "", "the file is not UTF-8 text", "save it as UTF-8")) from None


def parse(text: str, environ: Mapping[str, str], read: Read = compose) -> Document:
    """Read `text`, replacing references to the environment. Raises `YamlError` when it is no YAML."""
    node = read(text)
    document = Document()
    if node is not None:
        _Reader(document, environ).read(node)
    return document


def _place(node: Node, name: Node | None) -> Place:
    named = name if name is not None else node
    below = isinstance(node, CollectionNode) and not node.flow  # it starts on a line after its name
    at = named if below else node
    return Place(at.line, at.column, named.line, named.column)


class _Reader:
    """Turns nodes into data."""

    __slots__ = ("_count", "_document", "_environ", "_open")

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self._count = 0
        self._open: set[int] = set()  # nodes being read, to find an alias inside its own anchor

    def read(self, node: Node) -> None:
        self._document.data = self._value(node, (), None)

    def _value(self, node: Node, path: Path, name: Node | None) -> object:
        self._document.places[path] = node, name
        if len(path) > MAX_DEPTH or id(node) in self._open:
            remedy = f"use at most {MAX_DEPTH} levels, and no alias inside its own anchor"
            self._unusable(path, "nested too deeply", remedy)
            return None
        if self._overflows(path):
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            items = node.value if isinstance(node, SequenceNode) else ()
            return [self._value(item, (*path, index), None) for index, item in enumerate(items)]
        finally:
            self._open.discard(id(node))

    def _overflows(self, path: Path) -> bool:
        self._count += 1
        if self._count == MAX_VALUES:
            self._unusable(path, f"more than {MAX_VALUES:,} values, aliases counted", "make the file smaller")
        return self._count >= MAX_VALUES

    def _unusable(self, path: Path, message: str, remedy: str) -> None:
        self._document.refuse(path, message, remedy)
        self._document.unusable.add(path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        data: dict[str, object] = {}
        own: dict[str, int] = {}
        merged: list[tuple[str, Node, Node]] = []
        for key, value in node.value:
            if key.tag == MERGE:
                merged.extend(self._merged(value, path))
                continue
            name = self._name(key, path)
            if name is None:
                continue
            if name in own:
                where = f"it stands on line {own[name]} already"
                self._document.refuse((*path, name), "given twice", f"keep one; {where}", at=key)
                continue
            own[name] = key.line
            data[name] = self._value(value, (*path, name), key)
        for name, key, value in merged:
            if name not in data:
                data[name] = self._value(value, (*path, name), key)
        return data

    def _name(self, key: Node, path: Path) -> str | None:
        if not isinstance(key, ScalarNode):
            self._document.refuse(path, "a name must be text", "write `name: value`", at=key)
            return None
        if not refers(key.value):
            return key.value
        try:
            name = substitute(key.value, self._environ)
        except BadReference as error:
            self._document.refuse(path, error.message, error.remedy, at=key)
            return None
        self._document.names[name] = key.value
        return name

    def _merged(self, value: Node, path: Path, depth: int = 0) -> Iterator[tuple[str, Node, Node]]:
        """Pairs that `<<` brings in; the first of several sources wins, and what stands in the mapping itself."""
        sources = [value] if isinstance(value, MappingNode) else value.value if isinstance(value, SequenceNode) else []
        if isinstance(value, ScalarNode) or depth > MAX_DEPTH:
            self._document.refuse(path, "<< needs a mapping, or a list of them", "write `<<: *anchor`", at=value)
            return
        for source in sources:
            if not isinstance(source, MappingNode):
                self._document.refuse(path, "<< needs a mapping", "write `<<: *anchor`", at=source)
                continue
            for key, item in source.value:
                if self._overflows(path):
                    return
                if key.tag == MERGE:
                    yield from self._merged(item, path, depth + 1)
                elif (name := self._name(key, path)) is not None:
                    yield name, key, item

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        if refers(node.value):
            return self._substituted(node, path)
        if node.tag in _TEXT_TAGS:
            return node.value
        if node.tag == NULL:
            return None
        if node.tag in (INT, FLOAT, BOOL):
            return core_scalar(node.value)
        self._unusable(path, "a tag (!…) that has no meaning here", "remove the tag")
        return None

    def _substituted(self, node: ScalarNode, path: Path) -> object:
        self._document.substituted[path] = node.value
        try:
            value = substitute(node.value, self._environ)
        except BadReference as error:
            self._unusable(path, error.message, error.remedy)
            return None
        self._document.replaced[value] = node.value
        return value
