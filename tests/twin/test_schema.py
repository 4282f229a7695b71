"""Values made from a schema fit it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.twin.schema import free_form, quoted, sample

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "t1"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "multipleOf": 5}, 5),
        ({"type": "number"}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "t1"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": {"x": 1}}, {"x": 1}),
        ({"type": "string", "minLength": 5}, "t1ttt"),
        ({"type": "string", "maxLength": 1}, "t"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [1, "t1"]),
        ({"type": "array"}, []),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"type": "object", "required": ["a"]}, {"a": "t1"}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}, 1),
    ],
)
def test_each_kind(schema, value):
    """As plain as it can be."""
    assert sample(schema) == value


def test_values_come_from_what_was_said():
    """Numbers in order, strings from quotes; what is bounded stays within its bounds."""
    schema = {
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "maximum": 10},
            "c": {"type": "string"},
            "d": {"type": "string"},
        }
    }
    assert sample(schema, "f(3) of 70 for 'Acme' and \"你好\", it's") == {"a": 3, "b": 10, "c": "Acme", "d": "你好"}


def test_a_recursive_schema_ends():
    """Where it may be null, it becomes null in some depth; every object on the way is whole."""
    value, depth = sample({"$ref": "#/$defs/node", "$defs": {"node": NODE}}), 0
    while value is not None:
        assert set(value) == {"value", "next"}
        value, depth = value["next"], depth + 1
    assert 2 < depth < 10


@pytest.mark.parametrize(
    "schema",
    [None, 5, {"enum": []}, {"type": []}, {"type": "other"}, {"properties": 7}, {"$ref": "#/none"}, {"$ref": "#"},
     {"anyOf": 3}, {"required": 3}, {"type": "array", "items": 3, "minItems": "x"}, {"allOf": [4]}],
)  # fmt: skip
def test_a_strange_schema_breaks_nothing(schema):
    """It gets some JSON value."""
    msgspec.json.encode(sample(schema))


def test_a_recursive_depth_is_bounded():
    """A schema nested a thousand deep ends."""
    schema = {"type": "integer"}
    for _ in range(1_000):
        schema = {"type": "array", "items": schema}
    msgspec.json.encode(sample(schema))


WORDS = [
    "type", "items", "anyOf", "allOf", "properties", "required", "minimum", "$ref", "enum", "minItems", "maxLength",
    "format", "prefixItems", "multipleOf",
]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["object", "array", "#"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(ANYTHING)
def test_no_schema_breaks_it(schema):
    """Whatever is posted as one."""
    msgspec.json.encode(sample(schema, "1 'x'"))


def test_any_object():
    """Has the named keys, if there are some; one whose properties are none has none."""
    assert sample({"type": "object", "description": "D"}, "with 'setup'") == {"setup": "t1"}
    assert sample({"type": "object"}, "anything") == {}
    assert sample({"type": "object", "properties": {}}, "with 'setup'") == {}
    assert sample({"type": "object", "additionalProperties": False}, "with 'setup'") == {}


def test_an_object_without_a_schema():
    """Has the keys that were named in quotes."""
    assert free_form("with keys 'setup' and \"punch line\" and `end`") == {"setup": "t1", "end": "t1"}
    assert free_form("anything") == {"answer": "t1"}
    assert quoted("don't 'a b'") == ["a b"]
