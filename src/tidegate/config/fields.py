"""Walks the schema: which field stands at a path, and which fields there are."""

from collections.abc import Iterator
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from tidegate.config.findings import Path
from tidegate.config.schema.base import ModelName, Section
from tidegate.config.schema.file import Config


def annotation_at(path: Path, root: type[Section] = Config) -> Any:
    """The type of the value at `path` of a file whose schema is `root`; None where the schema has none."""
    current: Any = root
    for part in path:
        if section := _as_section(current):
            field = section.model_fields.get(str(part))
            current = bare(field.annotation) if field is not None else None
        elif get_origin(current) in (dict, list):
            current = bare(get_args(current)[-1])
        else:
            return None
    return current


def general(path: Path) -> Path:
    """`path` with one name for all that a user may choose, and one number: what the schema says of them is the same."""
    found: Path = ()
    for part in path:
        found = below(found, part)
    return found


def below(path: Path, part: str | int) -> Path:
    """The general path of what `part` names in a place whose general path is `path`."""
    kind = _container(path)
    return (*path, "*" if kind is dict else 0 if kind is list else part)


@lru_cache(maxsize=4_096)
def _container(path: Path) -> Any:
    return get_origin(annotation_at(path))


def section_at(path: Path, root: type[Section] = Config) -> type[Section] | None:
    """The schema of the mapping at `path`; None where the schema has none."""
    return _as_section(annotation_at(path, root))


def field_at(path: Path, root: type[Section] = Config) -> FieldInfo | None:
    """The field at `path`; None where the schema has none."""
    section = section_at(path[:-1], root)
    return section.model_fields.get(str(path[-1])) if section is not None and path else None


def all_fields(root: type[Section] = Config) -> Iterator[tuple[str, FieldInfo]]:
    """Every field with its path as the documentation writes it: `providers.NAME.scopes[].limits.MODEL.rpm`."""
    yield from _fields_of(root, "")


def literals(annotation: Any) -> tuple[str, ...]:
    """The words that a field with a fixed set of values takes."""
    annotation = bare(annotation)
    return tuple(str(value) for value in get_args(annotation)) if get_origin(annotation) is Literal else ()


def bare(annotation: Any) -> Any:
    """An annotation without its constraints and without `None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not NoneType)
        else:
            return annotation


def _fields_of(section: type[Section], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        path = f"{prefix}{name}"
        yield path, field
        current = bare(field.annotation)
        while get_origin(current) in (dict, list):
            path += _step(current)
            current = bare(get_args(current)[-1])
        if inner := _as_section(current):
            yield from _fields_of(inner, f"{path}.")


def _step(container: Any) -> str:
    if get_origin(container) is list:
        return "[]"
    return ".MODEL" if get_args(container)[0] == ModelName else ".NAME"


def _as_section(annotation: Any) -> type[Section] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None
