"""YAML text to plain data in which every value knows its line and column. YAML 1.2; anchors and merge keys work."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from tidegate.config.environment import BadReference, refers, substitute
from tidegate.config.findings import Finding, Path, dotted, shown

MAX_BYTES = 1_048_576  # the parser needs about 10 s for each MB
MAX_DEPTH = 32
MAX_VALUES = 200_000  # bounds what aliases of aliases can multiply to

_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({_CORE + "str", _CORE + "timestamp"})
_INT = re.compile(r"[-+]?[0-9][0-9_]{0,99}|0o[0-7][0-7_]{0,99}|0x[0-9a-fA-F][0-9a-fA-F_]{0,99}")
_FLOAT = re.compile(r"(?=.*[.eE])[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


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
    places: dict[Path, Place] = field(default_factory=dict)
    substituted: dict[Path, str] = field(default_factory=dict)  # values in which a variable was replaced, as written
    findings: list[Finding] = field(default_factory=list)
    unusable: set[Path] = field(default_factory=set)  # values already reported
    names: dict[str, str] = field(default_factory=dict)  # names that came from the environment, and their source text
    replaced: dict[str, str] = field(default_factory=dict)  # the same of values

    def place(self, path: Path) -> Place:
        """The place of `path`, or of the nearest thing around it that has one."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, Place(1, 1, 1, 1))

    def label(self, path: Path) -> str:
        """`path` as it is printed: names from the environment as they are written in the file."""
        return dotted(tuple(self.names.get(part, part) if isinstance(part, str) else part for part in path))

    def written(self, text: str) -> str:
        """A name or value of the file as it stands there: what came from the environment by its reference."""
        return self.names.get(text) or self.replaced.get(text, text)

    def said(self, name: str) -> str:
        """A name or value as it is printed."""
        return shown(self.written(name))

    def visible(self, names: Iterable[str]) -> list[str]:
        """Those that did not come from the environment, for a remedy that lists them."""
        return [name for name in names if name not in self.names and name not in self.replaced]

    def refuse(self, path: Path, message: str, remedy: str, at: Node | None = None) -> None:
        """Note an error at the value of `path`, or at the node `at`."""
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


class YamlError(ValueError):
    """Text that is no YAML, with the one finding that says where and why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.sentence())


def parse(text: str, environ: Mapping[str, str]) -> Document:
    """Read `text`, replacing references to the environment. Raises `YamlError` when it is no YAML."""
    node = compose(text)
    document = Document()
    if node is not None:
        _Reader(document, environ).read(node)
    return document


def core_scalar(text: str) -> object:
    """What a plain scalar means in YAML 1.2: a number, true or false, else the text itself."""
    if _INT.fullmatch(text):
        digits = text.replace("_", "")
        return int(digits, 0 if digits[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return _BOOLS.get(text, text)


def compose(text: str) -> Node | None:
    """The nodes of `text` with their places; None: it is empty. Raises `YamlError`. About 10 s for each MB."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's warnings quote the file
            node: Node | None = YAML(typ="safe", pure=True).compose(text)
            return node
    except MarkedYAMLError as error:
        raise YamlError(_syntax_finding(error, text)) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = "a control character cannot stand in YAML"
        raise YamlError(Finding(line, column, "", message, "remove it, or write it as an escape in quotes")) from None
    except RecursionError:
        raise YamlError(Finding(1, 1, "", "nested too deeply", f"use at most {MAX_DEPTH} levels")) from None
    except (YAMLError, ValueError):
        raise YamlError(Finding(1, 1, "", *_NOT_YAML)) from None


_NOT_YAML = ("not valid YAML", "check quotes and indentation")
_SYNTAX = (  # (words of the parser, what we say, what would be right)
    (r"found character '\t'", "a tab cannot indent", "use spaces"),
    ("cannot start any token", "a value cannot start with this character", "put the value in quotes"),
    ("mapping values are not allowed", "a second `: ` in one value, or a wrong indentation",
     "put the value in quotes, or align the line with its neighbours"),
    ("undefined alias", "an alias (*name) whose anchor (&name) is not defined above", "define the anchor first"),
    ("another document", "a second document starts here", "keep one document in the file"),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("but got '<stream end>'", "a bracket is opened and never closed", "close it"),
    ("but found '<block mapping start>'", "wrong indentation", "align the line with its neighbours"),
    ("unknown escape character", "an unknown escape in double quotes", "double the backslash, or use single quotes"),
    ("expected ',' or", "a comma or a closing bracket is missing", "close the bracket, or separate with commas"),
    ("could not find expected ':'", "a name without `:`", "write `name: value`"),
    ("expected <block end>", "wrong indentation, or a list item among names",
     "align the line with its neighbours"),
)  # fmt: skip


def _syntax_finding(error: MarkedYAMLError, text: str) -> Finding:
    problem = (error.problem or "").replace("\t", r"\t")
    known = [(message, remedy) for words, message, remedy in _SYNTAX if words in problem]
    message, remedy = known[0] if known else _NOT_YAML
    mark = error.context_mark if "opened" in message else error.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    source = text.splitlines()[line - 1 : line]
    if "bracket" in message and source and "${" in source[0]:
        remedy = 'inside [ ] and { } put a value with ${…} in quotes: "${NAME}"'
    return Finding(line, column, "", message, remedy)


def _place(node: Node, name: Node | None) -> Place:
    named = name.start_mark if name is not None else node.start_mark
    below = isinstance(node, CollectionNode) and not node.flow_style  # it starts on a line after its name
    at = named if below else node.start_mark
    return Place(at.line + 1, at.column + 1, named.line + 1, named.column + 1)


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
        self._document.places[path] = _place(node, name)
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
            return [self._value(item, (*path, index), None) for index, item in enumerate(node.value)]
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
            if key.tag == _CORE + "merge":
                merged.extend(self._merged(value, path))
                continue
            name = self._name(key, path)
            if name is None:
                continue
            if name in own:
                where = f"it stands on line {own[name]} already"
                self._document.refuse((*path, name), "given twice", f"keep one; {where}", at=key)
                continue
            own[name] = key.start_mark.line + 1
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
            return str(key.value)
        try:
            name = substitute(key.value, self._environ)
        except BadReference as error:
            self._document.refuse(path, error.message, error.remedy, at=key)
            return None
        self._document.names[name] = key.value
        return name

    def _merged(self, value: Node, path: Path, depth: int = 0) -> Iterator[tuple[str, Node, Node]]:
        """Pairs that `<<` brings in; the first of several sources wins, and what stands in the mapping itself."""
        sources = [value] if isinstance(value, MappingNode) else value.value
        if not isinstance(sources, list) or depth > MAX_DEPTH:
            self._document.refuse(path, "<< needs a mapping, or a list of them", "write `<<: *anchor`", at=value)
            return
        for source in sources:
            if not isinstance(source, MappingNode):
                self._document.refuse(path, "<< needs a mapping", "write `<<: *anchor`", at=source)
                continue
            for key, item in source.value:
                if self._overflows(path):
                    return
                if key.tag == _CORE + "merge":
                    yield from self._merged(item, path, depth + 1)
                elif (name := self._name(key, path)) is not None:
                    yield name, key, item

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        if refers(node.value):
            return self._substituted(node, path)
        if node.tag in _TEXT_TAGS:
            return node.value
        if node.tag == _CORE + "null":
            return None
        if node.tag in (_CORE + "int", _CORE + "float", _CORE + "bool"):
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
