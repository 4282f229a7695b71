"""What a decoder found wrong in a scenario, in the words and at the place of its file."""

import re
from typing import Final

import msgspec
from msgspec import inspect

from tidegate.config.findings import Finding, Path, dotted
from tidegate.config.source import Document
from tidegate.simulate.scenario import Scenario

_STEP: Final = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD: Final = re.compile(r"(unknown|required) field `([^`]*)`")
_WRONG_TYPE: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_BOUND: Final = re.compile(r"Expected `(\w+)` (of length )?(>=|<=|>|<) ([\d.e+]+)")
_NAMES: Final = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false",
                 "array": "a list", "object": "a mapping", "null": "nothing"}  # fmt: skip
_BOUNDS: Final = {">=": "at least ", "<=": "at most ", ">": "more than ", "<": "less than "}
_PAGE: Final = "see docs/simulate.md"


def explain(error: msgspec.ValidationError, document: Document) -> Finding:
    """Line, field, what is wrong and what would be right."""
    found = _AT.match(str(error))
    what, steps = (found["what"], found["path"] or "") if found else (str(error), "")
    path: Path = tuple(name or int(index) for name, index in _STEP.findall(steps))
    field = _FIELD.search(what)
    if field is not None and field[1] == "unknown":
        message, remedy = "no such field", f"one of {', '.join(_known(path))}"
        path = (*path, field[2])
    elif field is not None:
        message, remedy = f"lacks {field[2]}", f"add `{field[2]}: …`"
    elif not path:
        empty = document.data is None
        message = "the file is empty" if empty else "the top level must be a mapping"
        remedy = f"start with `title:`; {_PAGE}"
    else:
        message, remedy = _said(what, path)
    place = document.place(path)
    return Finding(place.line, place.column, dotted(path), message, remedy)


def _said(what: str, path: Path) -> tuple[str, str]:
    if (bound := _BOUND.search(what)) is not None:
        unit, length, sign, limit = bound.groups()
        count = f"{_BOUNDS[sign]}{limit.removesuffix('.0')}"
        return f"expected {count} item" if length and unit == "array" else f"expected {_NAMES[unit]} of {count}", _PAGE
    if (wrong := _WRONG_TYPE.search(what)) is not None:
        wanted = " or ".join(_NAMES.get(name.strip(), name) for name in wrong[1].split("|"))
        return f"expected {wanted}, found {_NAMES.get(wrong[2], wrong[2])}", _PAGE
    if "regex" in what:
        return "not usable as a name", "use letters, digits and . _ -, at most 64 characters"
    return "unknown word", f"one of {', '.join(_known(path))}"


def _known(path: Path) -> tuple[str, ...]:
    """What may stand at `path`: the fields of a record, or words."""
    kind: inspect.Type = inspect.type_info(Scenario)
    for part in path:
        if isinstance(part, int):
            kind = kind.item_type if isinstance(kind, inspect.VarTupleType) else kind
        elif isinstance(kind, inspect.StructType):
            kind = next(field.type for field in kind.fields if field.name == part)
        if isinstance(kind, inspect.UnionType):  # a part that may be left out
            kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        return tuple(field.name for field in kind.fields)
    return tuple(str(value) for value in kind.values) if isinstance(kind, inspect.LiteralType) else ()
