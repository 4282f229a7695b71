"""YAML text as nodes: what stands where, what plain words mean, and texts that are no YAML."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.config import nodes
from tidegate.config.edit.emit import block, flow, quoted
from tidegate.config.edit.tree import plain, tree_of
from tidegate.config.findings import Finding
from tidegate.config.nodes import (
    BOOL,
    FLOAT,
    INT,
    MERGE,
    NULL,
    TEXT,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlError,
    compose,
)

STYLES = """\
# größer 🙂
plain: one
  two  # 你好
'q': 'it''s'
"d": "a\\u00e9
  b"
literal: |
  x

   y
folded: >-
  x
  y
anchored: &name !!str 5
alias: *name
flow: {a: [1, "ü"], b: , c}
list:
- x
-   - y
empty:
last: end"""


def scalars(node: Node | None) -> Iterator[ScalarNode]:
    """All, names before their values; an alias again."""
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for one in node.value:
            yield from scalars(one)
    elif isinstance(node, MappingNode):
        for name, value in node.value:
            yield from scalars(name)
            yield from scalars(value)


def refusal(text: str) -> Finding:
    with pytest.raises(YamlError) as told:
        compose(text)
    return told.value.finding


@pytest.mark.parametrize("lead", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_value_knows_where_it_stands(newline: str, lead: str) -> None:
    """In characters of the text, whatever they are, however lines end, and with a byte order mark before them."""
    text = lead + STYLES.replace("\n", newline)
    found = [text[one.start : one.end].replace("\r", "") for one in scalars(compose(text))]
    assert found == [
        "plain", "one\n  two", "'q'", "'it''s'", '"d"', '"a\\u00e9\n  b"', "literal", "|\n  x\n\n   y\n",
        "folded", ">-\n  x\n  y\n", "anchored", "&name !!str 5", "alias", "&name !!str 5",
        "flow", "a", "1", '"ü"', "b", "", "c", "", "list", "x", "y", "empty", "", "last", "end",
    ]  # fmt: skip
    for one in scalars(compose(text)):
        assert one.line == text.count("\n", 0, one.start) + 1
        line_start = max(text.rfind("\n", 0, one.start) + 1, len(lead))
        assert one.column == one.start - line_start + 1


def test_what_is_left_out_stands_behind_its_name() -> None:
    """Also where the next thing stands lines below."""
    text = "a:\n\nb: {c: ,\n d:\n\n }\n"
    places = {one.value: (one.line, one.column) for one in scalars(compose(text)) if one.value}
    empty = [(one.line, one.column) for one in scalars(compose(text)) if not one.value]
    assert places == {"a": (1, 1), "b": (3, 1), "c": (3, 5), "d": (4, 2)}
    assert empty == [(1, 3), (3, 7), (4, 4)]


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (NULL, ["", "~", "null", "Null", "NULL"]),
        (BOOL, ["true", "True", "FALSE"]),
        (INT, ["0", "-1_000", "017", "0o17", "0x1F", "+5"]),
        (FLOAT, ["1.5", "1e3", "-.5", "1.", ".5e3"]),
        (MERGE, ["<<"]),
        (TEXT, ["yes", "on", "Off", "y", "12:30", "2026-11-21", "0b11", ".inf", ".nan", "=", "1.2.3", "9" * 5000]),
    ],
)  # fmt: skip
def test_what_plain_words_mean(tag: str, words: list[str]) -> None:
    """YAML 1.2 and merge keys; in quotes, and by the tag `!!str`, all of them are text."""
    for word in words:
        items = compose(f"a: {word}\nb: '{word}'\nc: !!str {word}")
        assert [one.tag for one in list(scalars(items))[1::2]] == [tag, TEXT, TEXT]


def test_an_anchor_may_be_given_again() -> None:
    """An alias means the one above it; one inside its own anchor is the thing itself."""
    assert plain(compose("a: &x 1\nb: *x\nc: &x 2\nd: *x")) == {"a": 1, "b": 1, "c": 2, "d": 2}
    found = compose("&x [*x]")
    assert isinstance(found, SequenceNode)
    assert found.value == [found]


def test_directives() -> None:
    """YAML's version may stand there; one that will come is refused."""
    assert plain(compose("%YAML 1.2\n---\na: yes\n...\n")) == {"a": "yes"}
    assert refusal("%YAML 3.0\n---\na: 1").message == "a version of YAML that is not read here"
    assert refusal("a: !x!y 1").remedy == "remove the tag"


@pytest.mark.parametrize("text", ["", "\n", "# nothing", "\ufeff", "%YAML 1.2\n"])
def test_nothing_is_nothing(text: str) -> None:
    """A text without a value has no node."""
    if text.startswith("%"):
        assert refusal(text).line == 2
    else:
        assert compose(text) is None


@pytest.mark.parametrize("text", ["[" * 1_000_000, "- " * 500_000, "{a: " * 250_000, "? " * 500_000, "[{a: " * 99])
def test_nested_without_end(text: str) -> None:
    """Refused at its place, and at once: neither the stack nor the memory can be exhausted."""
    assert refusal(text).message == "nested too deeply"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\n\tb: 2", (2, 1), "a tab cannot indent"),
        ("a:\n\t- b", (2, 1), "a tab cannot indent"),
        ("a: `b`", (1, 4), "a value cannot start with this character"),
        ("a: b: c", (1, 5), "a second `: ` in one value"),
        ("a: *b", (1, 4), "an alias (*name) whose anchor (&name) is not defined above"),
        ("a: [*]", (1, 6), "`&` and `*` begin an anchor or alias"),
        ("a: *.example.com", (1, 5), "`&` and `*` begin an anchor or alias"),
        ("a: 1\n---\nb: 2", (2, 1), "a second document starts here"),
        ("a: 1\n---\n", (2, 1), "a second document starts here"),
        ("a: 'b\nc: 1", (1, 4), "a quote is opened and never closed"),
        ('{a: ["größer",\n b', (1, 5), "a bracket is opened and never closed"),
        ("a: [b, {c: 1}", (1, 4), "a bracket is opened and never closed"),
        ("a: {", (1, 4), "a bracket is opened and never closed"),
        ("a: [b\nc: 1", (2, 2), "a comma or a closing bracket is missing"),
        ("a: [, b]", (1, 5), "a name or value is missing here"),
        ('a: "\\q"', (1, 6), "an unknown escape in double quotes"),
        ("a: 1\nbc\nd: 2", (2, 1), "a name without `:`"),
        ("a: 1\n  b: 2", (2, 4), "a second `: ` in one value"),
        ("a:\n    b: 1\n  c: 2", (3, 3), "wrong indentation"),
        ("a: 1\n- b", (2, 1), "wrong indentation, or a list item among names"),
        ("- a\nb: 1", (2, 1), "wrong indentation, or a name among list items"),
        ('a: "b" c', (1, 8), "more stands here behind a value that has ended"),
        ("a: {{ b }}-c", (1, 11), "more stands here behind a value that has ended"),
        ("a: - b", (1, 4), "a list item where none can stand"),
        ("{a:, b}", (1, 3), "a `:` without a blank behind it"),
        ("[a]\nb: 1", (2, 1), "more stands here behind the end of the whole"),
        ("a: ü\x07", (1, 5), "a control character cannot stand in YAML"),
        ("a: 🙂\ud800", (1, 5), "a control character cannot stand in YAML"),
        ("a: 1\n\x00", (2, 1), "a control character cannot stand in YAML"),
    ],
)
def test_what_is_no_yaml(text: str, place: tuple[int, int], message: str) -> None:
    """Told where it is wrong, in words of ours, with a remedy; also behind a byte order mark."""
    for told in (refusal(text), refusal("\ufeff" + text), refusal(text.replace("\n", "\r\n"))):
        assert told.message.startswith(message)
        assert (told.line, told.column) == place
        assert told.remedy


def test_without_libyaml_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another parser would read some texts differently, so there is none."""
    monkeypatch.setattr(nodes, "Parser", None)
    assert "libyaml" in refusal("a: 1").message


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufffe\uffff\ufeff"))
LEAVES = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(deadline=None)
def test_values_come_back_and_stand_where_they_are_written(data: dict[str, object], newline: str, ends: bool) -> None:
    """Whatever is written, in blocks and in brackets; each scalar's piece of the text means the same alone."""
    for lines in (block(data, 0), [flow(data)]):
        text = newline.join(["# 你好", *lines]) + newline * ends
        root = compose(text)
        assert plain(root) == data
        for one in scalars(root):
            alone = compose(f"[{text[one.start : one.end] or 'null'}]")
            assert [found.value or None for found in scalars(alone)] in ([one.value or None], ["null"])
            assert text[one.end :].lstrip(" ")[:1] in ("", ":", ",", "]", "}", "\r", "\n")


PIECES = st.sampled_from(
    [
        "a", "é", "🙂", "1", "<<", "- ", "? ", ": ", ":", " ", "  ", "\n", "\n  ", "\r\n", "# c\n", "[", "]", "{", "}",
        ", ", "&a ", "*a", "!!str ", "!t ", "|\n", ">-\n", "'", '"', "\\", "\t", "---\n", "...\n", "%YAML 1.2\n", "@",
        "\ufeff", "\x07", "\x85", "\u2028", "\ud800",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    """Nodes lie in the text, in their order and in each other; what is refused is refused on one of its lines."""
    breaks = sum(text.count(sign) for sign in "\n\r\x85\u2028\u2029")
    try:
        root, told = compose(text), None
    except YamlError as error:
        root, told = None, error.finding
    assert told is None or (1 <= told.line <= breaks + 1 and 1 <= told.column <= len(text) + 1)
    assert root is None or inside(root, 0, len(text), set())


def inside(node: Node, start: int, end: int, seen: set[int]) -> bool:
    """Does it lie there, and all that is in it one behind the other? Aliases stand elsewhere."""
    if id(node) in seen:
        return True
    seen.add(id(node))
    if not start <= node.start <= node.end <= end:
        return False
    children: list[Node] = []
    if isinstance(node, SequenceNode):
        children = node.value
    elif isinstance(node, MappingNode):
        children = [one for pair in node.value for one in pair]
    at = node.start
    for child in children:
        if id(child) not in seen:
            if not inside(child, at, node.end, seen):
                return False
            at = child.end
    return True


def test_what_was_quoted_is_masked_by_its_place() -> None:
    """The tree's items lie where the text of their values does."""
    text = f"a: {quoted('ü: 🙂')}  # c\nb: [x, 'y']\n"
    tree = tree_of(text)
    assert tree.root is not None
    assert [text[one.open : one.end] for one in tree.items(tree.root)] == [' "ü: 🙂"', " [x, 'y']"]
