"""Which schemas strict mode takes."""

import pytest

from tests.providers.translate.conversations import STRICT_SCHEMA, Json
from tidegate.providers.translate.strict import is_strict

LOOSE = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}


def within(schema: Json) -> Json:
    return {**STRICT_SCHEMA, "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": schema}]}}}


@pytest.mark.parametrize("schema", [STRICT_SCHEMA, within(STRICT_SCHEMA), {"type": "string"}])
def test_schemas_that_say_everything(schema: Json) -> None:
    """All properties are required and no others allowed, at every depth."""
    assert is_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        LOOSE,
        within(LOOSE),
        {**STRICT_SCHEMA, "additionalProperties": True},
        {**STRICT_SCHEMA, "required": "a"},
        {**STRICT_SCHEMA, "properties": []},
        {"type": "object"},
    ],
)
def test_schemas_that_leave_something_open(schema: Json) -> None:
    """One of them anywhere is enough."""
    assert not is_strict(schema)


def test_a_schema_without_an_end() -> None:
    """So deep that no provider takes it: no."""
    schema: Json = {}
    for _ in range(500):
        schema = {"items": schema}
    assert not is_strict(schema)
