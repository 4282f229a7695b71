"""Secrets of a configuration's text: hidden on the way out, put back on the way in.

Which values are secret the schema says: its fields with `repr=False`. Of one whose field says `PASSWORD_INSIDE` (an
address) only the password is. A value that the schema does not know is hidden, too, and what looks like a key
wherever it stands. A reference to the environment is no secret.
"""

import hmac
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from tidegate.config.edit.tree import Tree, Uneditable, tree_of
from tidegate.config.fields import all_fields, annotation_at, below, section_at
from tidegate.config.findings import Finding
from tidegate.config.findings import Path as Place
from tidegate.config.nodes import MAX_DEPTH, MERGE, TEXT, MappingNode, Node, ScalarNode, SequenceNode, YamlError
from tidegate.config.schema.base import only_inside

MASK: Final = re.compile(r"«secret:([0-9a-f]{16})»")
_ANY: Final = re.compile(r"«secret:[^»\n]*»?")
_REFERENCE: Final = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})+")
_PASSWORD: Final = re.compile(
    r"://(?:[^:@/\s\"']*:)?([^@/\s\"']+)@|[?&][^=&\s]*(?:pass|pwd|token|secret)[^=&\s]*=([^&#\s\"']+)", re.IGNORECASE
)
_NO_PASSWORD: Final = re.compile(r"[^/?&]*")  # as most values are: what may hold one has a sign of these
_KEY_LIKE: Final = re.compile(r"\b(?:sk-|pk-|xai-|gsk_|ghp_|hf_|tgk_|tga_|whsec_|AKIA|AIza)[A-Za-z0-9_+/=-]{8,}")
_LINE: Final = re.compile(r"(?:^|[\s{,\[])(?P<name>[^\s:#{,\[]+)[ ]*:(?=\s|$)(?P<value>.*)$")


class Span(NamedTuple):
    """A secret in the text, without its quotes."""

    start: int
    end: int


class Masked(NamedTuple):
    """A text without secrets, and what stands for each mask's digest."""

    text: str
    secrets: Mapping[str, str]


class Masker:
    """Masks by a key of this installation, so that nobody can try out short secrets on a mask."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, text: str) -> str:
        """Of a text as it is written: 16 hexadecimal digits."""
        return hmac.digest(self._key, text.encode(errors="surrogatepass"), "sha256").hex()[:16]

    def hide(self, text: str, *, likely: bool = True) -> Masked:
        """The text without its secrets, and without what is `likely` one. O(text): it is read once."""
        secrets: dict[str, str] = {}
        pieces: list[str] = []
        at = 0
        for start, end in _apart(secret_spans(text, likely=likely), text):
            piece = text[start:end]
            digest = self.digest(piece)
            secrets[digest] = piece
            pieces += [text[at:start], f"«secret:{digest}»"]
            at = end
        return Masked("".join([*pieces, text[at:]]), secrets)


def put_back(text: str, secrets: Mapping[str, str]) -> tuple[str, list[Finding]]:
    """The text with secrets in the place of their masks, and the masks that stand for none. O(text)."""
    findings: list[Finding] = []
    lines = Lines(text)
    for found in _ANY.finditer(text):
        known = MASK.fullmatch(found[0])
        if known is None or known[1] not in secrets:
            findings.append(_at(lines, found.start(), "this mask stands for no secret of the file in force", _GONE))
    return MASK.sub(lambda match: secrets.get(match[1], match[0]), text), findings


def by_place(text: str, base: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """`secrets`, and for masks of `text` beside them what stands at the same places of `base`: a key that was renewed.

    Empty beside `secrets` where one of the texts is no YAML.
    """
    lost = {match[1] for match in MASK.finditer(text)} - secrets.keys()
    if not lost:
        return dict(secrets)
    try:
        tree, now = tree_of(text), tree_of(base)
    except YamlError:
        return dict(secrets)
    there = dict(_scalars(now, now.root, ()))
    found = dict(secrets)
    for path, inner in _scalars(tree, tree.root, ()):
        mask = MASK.fullmatch(inner)
        if mask is not None and mask[1] in lost and path in there:
            found[mask[1]] = there[path]
    return found


def _scalars(tree: Tree, node: Node | None, path: Place) -> Iterator[tuple[Place, str]]:
    """Every scalar by its path, as it is written without its quotes."""
    if len(path) > MAX_DEPTH:
        return
    if isinstance(node, ScalarNode):
        inner = _inner(tree.text, Span(node.start, node.end), node.style)
        yield path, tree.text[inner.start : inner.end]
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _scalars(tree, value, (*path, key.value if isinstance(key, ScalarNode) else ""))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _scalars(tree, value, (*path, index))


_GONE: Final = 'write the secret itself, or a reference as "${NAME}"'
_BARE: Final = "put it where a secret stands; else it would be shown to whoever may see the policy"


def laid_bare(sent: str, filled: str, base: str, masker: Masker) -> list[Finding]:
    """Masks of a text that was sent, and is YAML, which stand where no secret belongs, and would be seen.

    What looked like a key in a comment of `base` may stay one.
    """
    known = masker.hide(base)
    allowed = _counted(known.text)
    allowed.subtract(_counted(masker.hide(base, likely=False).text))
    allowed.update(_counted(masker.hide(filled, likely=False).text))
    findings, lines = [], Lines(sent)
    for match in MASK.finditer(sent):
        allowed[match[1]] -= 1
        if allowed[match[1]] < 0:
            findings.append(_at(lines, match.start(), "a secret cannot stand here", _BARE))
    return findings


def _counted(text: str) -> Counter[str]:
    return Counter(match[1] for match in MASK.finditer(text))


@lru_cache(maxsize=6)
def secret_spans(text: str, *, likely: bool = True) -> list[Span]:
    """Where secrets stand, in any order; also in a text that is no YAML, then by its lines.

    `likely`: also what looks like a key, wherever it stands.
    """
    likely_ones = [Span(found.start(), found.end()) for found in _KEY_LIKE.finditer(text) if likely]
    spans = [*likely_ones]
    try:
        tree = tree_of(text)
        _of_node(tree, tree.root, (), set(), spans)
        return spans
    except (YamlError, Uneditable, RecursionError):
        return [*likely_ones, *_of_lines(text)]


def _of_node(tree: Tree, node: Node | None, path: Place, seen: set[int], found: list[Span]) -> None:
    """Add to `found`; `path` is a general one."""
    if node is None or id(node) in seen or len(path) > MAX_DEPTH:
        return
    if isinstance(node, ScalarNode):
        found += _of_scalar(tree.text, node, _kind(path))
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            at = below(path, key.value) if isinstance(key, ScalarNode) else path
            _of_node(tree, value, path if key.tag == MERGE else at, seen, found)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            _of_node(tree, value, below(path, index), seen, found)


@lru_cache(maxsize=4_096)
def _kind(path: Place) -> str:
    """One of: all of it is secret, a password may stand inside, unknown to the schema; empty: nothing is secret."""
    for length in range(len(path), 0, -1):
        section = section_at(path[: length - 1])
        if section is None:  # an item of a list, or a name that the user chose
            continue
        field = section.model_fields.get(str(path[length - 1]))
        if field is None:
            return "unknown"
        if not field.repr:
            return "inside" if only_inside(field) else "all"
        wanted = section_at(path)
        if wanted is not None:  # a bare word in the place of a mapping
            return "all" if any(not one.repr for one in wanted.model_fields.values()) else ""
        return "unknown" if annotation_at(path) is None else ""
    return ""


def _of_scalar(text: str, node: ScalarNode, kind: str) -> Iterator[Span]:
    span = Span(node.start, node.end)
    if kind in ("", "inside"):
        if not _NO_PASSWORD.fullmatch(text, *span):
            yield from _passwords(text, span)
    elif kind == "all" or (kind == "unknown" and node.tag == TEXT):
        inner = _inner(text, span, node.style)
        if not _REFERENCE.fullmatch(text[inner.start : inner.end]):
            yield inner


def _inner(text: str, span: Span, style: str | None) -> Span:
    start, end = span
    if style in ("'", '"'):
        opened = text.find(style, start)
        return Span(opened + 1, end - 1)
    if style in ("|", ">"):
        start = text.find("\n", start, end) + 1 or start
        while start < end and text[start] in " \t":
            start += 1
        while end > start and text[end - 1] in " \t\r\n":
            end -= 1
        return Span(start, end)
    if text[start : start + 1] in "&!":  # an anchor or tag stays
        start = text.find(" ", start, end) + 1 or start
    return Span(start, end)


def _passwords(text: str, span: Span) -> Iterator[Span]:
    for found in _PASSWORD.finditer(text, *span):
        group = 1 if found[1] is not None else 2
        if not _REFERENCE.fullmatch(found[group]):
            yield Span(*found.span(group))


def _names() -> frozenset[str]:
    """What fields that are secret, or hold secrets, are called, or are likely to."""
    secret = {path for path, field in all_fields() if not field.repr and not only_inside(field)}
    return frozenset(path.rpartition(".")[2] for path in secret) | {"keys", "api_key", "token"}


def _of_lines(text: str) -> Iterator[Span]:
    """By its names, line by line: what stands behind such a name, and what is indented below it."""
    names, below, at = _names(), -1, 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        listed = bare.startswith("-") and indent == below
        if below >= 0 and bare and indent <= below and not listed:
            below = -1
        content = line.rstrip("\r\n")
        found = next((one for one in _each(content) if one["name"].strip("\"'") in names), None)
        if found is not None:
            below = indent if below < 0 else below
            yield from _rest(text, at + found.start("value"), at + found.end("value"))
        elif below >= 0 and bare:
            yield from _rest(text, at + indent, at + len(line.rstrip()))
        else:
            yield from _passwords(text, Span(at, at + len(line)))
        at += len(line)


def _each(line: str) -> Iterator[re.Match[str]]:
    """Every name with what follows it on its line."""
    at = 0
    while (found := _LINE.search(line, at)) is not None:
        yield found
        at = found.start("value")


def _rest(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    bare = piece.strip().strip("-").strip().strip("\"'")
    if bare and not bare.startswith("#") and not _REFERENCE.fullmatch(bare):
        left = start + len(piece) - len(piece.lstrip(" -"))
        yield Span(left, start + len(piece.rstrip()))


def _apart(spans: list[Span], text: str) -> list[Span]:
    """In order, without those that lie in or over another: the longest counts; without what is masked already."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if span.end <= span.start or MASK.fullmatch(text[span.start : span.end]):
            continue
        if kept and span.start < kept[-1].end:
            continue
        kept.append(span)
    return kept


class Lines:
    """Where positions of a text stand, asked in their order: the text is counted once, however many are asked."""

    __slots__ = ("_at", "_line", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def place(self, at: int) -> tuple[int, int]:
        """Line and column from 1, of a position that is not before the last one."""
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line, at - self._text.rfind("\n", 0, at)


def _at(lines: Lines, at: int, message: str, remedy: str) -> Finding:
    return Finding(*lines.place(at), "", message, remedy)
