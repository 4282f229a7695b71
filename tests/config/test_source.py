"""YAML text as data with places."""

import pytest

from tidegate.config.nodes import YamlError, core_scalar
from tidegate.config.source import Document, Place, decode, parse

TEXT = """\
a:
  b: 1
  c: [x, {d: "y"}]
e:
  - f
"""


def test_places() -> None:
    """Every value knows its line and column; a block below its name stands where the name does."""
    document = parse(TEXT, {})
    assert document.data == {"a": {"b": 1, "c": ["x", {"d": "y"}]}, "e": ["f"]}
    assert document.place(("a", "b")) == Place(2, 6, 2, 3)
    assert document.place(("a", "c", 1, "d")) == Place(3, 14, 3, 11)
    assert document.place(("a",)) == Place(1, 1, 1, 1)
    assert document.place(("e", 0)) == Place(5, 5, 5, 5)


def test_place_of_what_is_not_there() -> None:
    """A missing field stands where its section does."""
    document = parse(TEXT, {})
    assert document.place(("a", "c", 1, "none", "deeper")) == document.place(("a", "c", 1))
    assert Document().place(("a",)) == Place(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1_000", -1000),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-21", "2026-11-21"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
        ("0x", "0x"),
        ("null", None),
        ("~", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!int 1", 1),
        ("!!int x", "x"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    """YAML 1.2: no yes, no on, no numbers in base 60; what is in quotes is text."""
    data = parse(f"a: {text}", {}).data
    assert isinstance(data, dict)
    assert data["a"] == value
    assert type(data["a"]) is type(value)


def test_core_scalar_of_text() -> None:
    """What a variable's text comes to where a number is due."""
    assert [core_scalar(text) for text in ("3", "0.5", "true", "", "3 ")] == [3, 0.5, True, "", "3 "]


def test_not_utf8() -> None:
    """The first bad byte is named by its place."""
    with pytest.raises(YamlError) as refused:
        decode("a: 1\nbc: größer".encode("latin-1"))
    assert (refused.value.finding.line, refused.value.finding.column) == (2, 7)


def test_names_are_text() -> None:
    """A name is what is written, also when it looks like a number."""
    assert parse("{1: a, 1.5: b, true: c, null: d}", {}).data == {"1": "a", "1.5": "b", "true": "c", "null": "d"}
