"""The JSON schema that editors use takes what the gate takes, and refuses what it refuses field by field."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.config.texts import MISSION, SMALLEST
from tidegate.config.edit.tree import plain
from tidegate.config.json_schema import json_schema
from tidegate.config.nodes import YamlError, compose

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(json_schema())
TOP = frozenset(json_schema()["properties"])


def examples() -> list[Any]:
    """Every YAML of the documentation that is, or begins as, a configuration, and all files of `examples/`."""
    found: list[Any] = [pytest.param(MISSION, id="mission"), pytest.param(SMALLEST, id="smallest")]
    for page in sorted((ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [pytest.param(text, id=f"{page.stem}-{at}") for at, text in enumerate(blocks) if ours(text)]
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        found += [pytest.param(text, id=file.stem)] if ours(text) else []
    return found


def ours(text: str) -> bool:
    """Is it a configuration of the gate?"""
    data = read(text)
    return isinstance(data, dict) and data.keys() <= TOP


def read(text: str) -> Any:
    try:
        return plain(compose(text))
    except YamlError:  # a page may show what is no YAML
        return None


def test_it_is_a_schema() -> None:
    """It is right by JSON Schema's own schema, and each of its fields has a description, or its section has."""
    Draft202012Validator.check_schema(json_schema())
    parts = json_schema()["$defs"]
    for part in parts.values():
        for field in part.get("properties", {}).values():
            section = field["anyOf"][0].get("$ref", "").rpartition("/")[2]
            assert field.get("description") or parts[section]["description"]


@pytest.mark.parametrize("text", examples())
def test_what_the_documentation_shows_is_valid(text: str) -> None:
    """An editor marks nothing in it."""
    assert [error.message for error in VALIDATOR.iter_errors(read(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "colour: red",
        "model_strategy: {primary_model: m, retry_policy: {max_retries: -1}}",
        "model_strategy: {primary_model: m, execution_mode: later}",
        "model_strategy: {primary_model: m, caching: {enabled: 3}}",
        "model_strategy: {fallback_models: []}",
        "strategies: {a: {primary_model: m, rate_limit_policy: {max_rpm: many}}}",
    ],
)
def test_what_is_wrong_is_marked(text: str) -> None:
    """Unknown fields, wrong types, values out of bounds, unknown words and what is missing."""
    assert list(VALIDATOR.iter_errors(read(text)))


def test_references_and_empty_fields_are_taken() -> None:
    """A number may come from the environment, and a field may stand without a value."""
    text = "model_strategy:\n  primary_model: m\n  caching:\n  retry_policy: {max_retries: '${N:-3}'}\n"
    assert list(VALIDATOR.iter_errors(read(text))) == []
