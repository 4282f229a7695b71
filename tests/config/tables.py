"""The tables of docs/configuration.md as the schema would have them. Print them: `python -m tests.config.tables`."""

from collections import defaultdict
from decimal import Decimal
from typing import Any, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tidegate.config.fields import all_fields, bare, literals

NUMBERS = {int: "whole number", float: "number", Decimal: "number"}
KINDS = {**NUMBERS, bool: "true or false", str: "text", list: "list", dict: "mapping"}


def sections() -> dict[str, dict[str, FieldInfo]]:
    """The fields of every part of the file by its path; the top level's path is empty."""
    found: dict[str, dict[str, FieldInfo]] = defaultdict(dict)
    for path, field in all_fields():
        parent, _, name = path.rpartition(".")
        found[parent][name] = field
    return found


def kind(field: FieldInfo) -> str:
    annotation = bare(field.annotation)
    if words := literals(annotation):
        return ", ".join(f"`{word}`" for word in words)
    return KINDS.get(get_origin(annotation) or annotation, "mapping")


def default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value}"
    if isinstance(value, float | str):
        return f"{value:g}" if isinstance(value, float) else f"`{value}`"
    return "–"


def row(name: str, field: FieldInfo) -> str:
    return f"| `{name}` | {kind(field)} | {default(field)} | {field.description} |"


def table(fields: dict[str, FieldInfo]) -> str:
    head = ["| field | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join(head + [row(name, field) for name, field in fields.items()])


if __name__ == "__main__":
    for parent, fields in sections().items():
        print(f"### `{parent}`\n\n{table(fields)}\n")
