"""What pydantic finds wrong, as faults of fields with their remedies. No value that was sent is repeated."""

from collections.abc import Sequence
from typing import Any

from tidegate.control.admin.problems import Fault, Refused, told

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "take it out, or see the schema at /docs for the right name",
    "json_invalid": "send one JSON object",
    "model_attributes_type": "send a JSON object",
    "dict_type": "send a JSON object",
    "list_type": "send a JSON array",
    "string_type": "write it in quotes",
    "bool_type": "write true or false",
    "int_type": "write a whole number without quotes",
    "float_type": "write a number without quotes",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
}
_MOST = 20


def refusal_of(errors: Sequence[Any], place: str = "") -> Refused:
    """A 422 that names every field, `_MOST` at most. `place` is put before fields that say none (`body`)."""
    return Refused(422, [_fault(error, place) for error in errors[:_MOST]])


def _fault(error: dict[str, Any], place: str) -> Fault:
    field = ".".join(told(part) for part in (place, *error["loc"]) if part != "")
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "refused":
        return Fault(field or "body", context["message"], context["remedy"])
    problem = told(error["msg"][:1].lower() + error["msg"][1:])
    return Fault(field or "body", problem, _REMEDIES.get(kind) or "see its range and form at /docs")
