"""A validation error of the schema as a finding: what is wrong and what would be right, without the value."""

from collections.abc import Mapping
from functools import cache

from pydantic_core import ErrorDetails

from tidegate.config.fields import all_fields, annotation_at, field_at, literals, section_at
from tidegate.config.findings import Finding, Path
from tidegate.config.nodes import core_scalar
from tidegate.config.schema.base import Section
from tidegate.config.schema.file import Config
from tidegate.config.source import Document

_MESSAGES = {  # by the type of the error; what its context holds may be named
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "literal_error": "not one of the known values",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "too_short": "must have at least {min_length} item",
}
_COMMON_NAMES = frozenset(
    {"name", "key", "keys", "model", "models", "username", "password"}
)  # too common to guess where they belong


def explain(error: ErrorDetails, document: Document, root: type[Section] = Config) -> Finding:
    """The finding for one error of the schema `root`, at its place in `document`."""
    kind, context = error["type"], error.get("ctx", {})
    path = _written(path_of(error), document)
    known = not any(part in document.names for part in path)  # what is like a name of the environment is told of none
    if kind == "refused":
        detail = "" if document.names or document.is_replaced(path) else str(context.get("detail", ""))
        message, remedy = str(context["message"]) + detail, str(context["remedy"])
    elif kind == "extra_forbidden":
        message, remedy = "unknown field", "correct the variable, or remove it"
        if known:
            remedy = _home_of(path, root, document)
    elif kind == "missing":
        message, remedy = "required, but missing", f"add {_example(path, root)}"
    else:
        message = _MESSAGES.get(kind, "not valid").format_map({name: _number(value) for name, value in context.items()})
        remedy = _remedy(kind, path, error, root, document, guesses=not document.is_replaced(path))
    place = document.place(path)
    if kind in ("extra_forbidden", "missing") or error["loc"][-1:] == ("[key]",):
        return Finding(place.name_line, place.name_column, document.label(path), message, remedy)
    return Finding(place.line, place.column, document.label(path), message, remedy)


def path_of(error: ErrorDetails) -> Path:
    """The path of the value that an error is about."""
    return tuple(part for part in error["loc"] if part != "[key]")


def _written(path: Path, document: Document) -> Path:
    """Without the number of an item where the file has a single value instead of a list."""
    single = path and isinstance(path[-1], int) and path not in document.places and path[:-1] in document.places
    return path[:-1] if single else path


def _remedy(
    kind: str, path: Path, error: ErrorDetails, root: type[Section], document: Document, *, guesses: bool
) -> str:
    if kind == "literal_error":
        return _known_word(path, error, root, document if guesses else None)
    if kind == "string_type" and isinstance(error["input"], (int, float)):
        return "put the value in quotes"
    if kind in ("int_type", "float_type", "bool_type") and _is_quoted(error["input"]):
        return "remove the quotes"
    return f"for example {_example(path, root)}"


def _is_quoted(value: object) -> bool:
    """Is it text that would be a number, true or false without its quotes?"""
    return isinstance(value, str) and not isinstance(core_scalar(value), str)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _example(path: Path, root: type[Section]) -> str:
    field = field_at(path, root)
    if field is not None and field.examples:
        return f"`{path[-1]}: {field.examples[0]}`"
    parent = field_at(path[:-1], root)  # an item of a list, or a name that the user chose
    return f"`{path[-2]}: {parent.examples[0]}`" if parent is not None and parent.examples else "a value"


def _known_word(path: Path, error: ErrorDetails, root: type[Section], document: Document | None) -> str:
    known = tuple(word or '""' for word in literals(annotation_at(path, root)))
    given = error["input"]
    close = document.closest(given, known) if document is not None and isinstance(given, str) else None
    return f"did you mean {close}?" if close else f"use {' or '.join(known)}"


def _home_of(path: Path, root: type[Section], document: Document) -> str:
    """Where an unknown field may belong."""
    section, name = section_at(path[:-1], root), str(path[-1])
    known = tuple(section.model_fields) if section is not None else ()
    if close := document.closest(name, known):
        return f"did you mean {close}?"
    homes = _homes(root).get(name, [])
    if homes and name not in _COMMON_NAMES:
        nearest = max(homes, key=lambda home: _shared(home, path))
        return f"{name} belongs in {nearest.rpartition('.')[0] or 'the top level'}"
    return f"use one of {', '.join(known)}"


@cache
def _homes(root: type[Section]) -> Mapping[str, list[str]]:
    """Where fields of each name are."""
    found: dict[str, list[str]] = {}
    for home, _ in all_fields(root):
        found.setdefault(home.rpartition(".")[2], []).append(home)
    return found


def _shared(home: str, path: Path) -> int:
    """How many leading parts a documented path has in common with `path`."""
    parts = home.replace("[]", ".0").split(".")
    count = 0
    for part, own in zip(parts, path, strict=False):
        if part not in (str(own), "NAME", "MODEL", "0"):
            break
        count += 1
    return count
