"""Changing a record: a JSON merge patch onto what would make it as it is, checked as when it is made."""

from typing import TypeVar

from pydantic import ValidationError

from tidegate.control.admin.faults import refusal_of
from tidegate.control.admin.problems import refused
from tidegate.control.admin.views.sent import Body

_DEEPEST = 8
_Settings = TypeVar("_Settings", bound=Body)


def patched(kind: type[_Settings], settings: object, patch: object) -> _Settings:
    """The settings after the patch. Raises `Refused` that names each field at fault."""
    if not patch:
        raise refused(422, "body", "changes nothing", "send the fields that are to change")
    try:
        return kind.model_validate(merged(settings, patch))
    except ValidationError as error:
        raise refusal_of(error.errors(include_url=False, include_input=False), "body") from None


def merged(target: object, patch: object, depth: int = 0) -> object:
    """`target` with a JSON merge patch applied to it (RFC 7396, 2). Raises `Refused` for one that is too deep."""
    if not isinstance(patch, dict):
        return patch
    if depth > _DEEPEST:
        raise refused(422, "body", "is nested too deeply", "no field has so many levels")
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value, depth + 1)
    return result
