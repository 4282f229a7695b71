"""The JSON schema of the configuration file, for editors: what the schema says, and what the reader does beside it."""

from typing import Any, Final

from tidegate.config.schema.base import Section
from tidegate.config.schema.file import Config

ADDRESS: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = {"type": "string", "pattern": r"\$\{[^}]*\}"}
_CONVERTED: Final = frozenset({"integer", "number", "boolean"})
_SAID: Final = ("description", "default", "examples", "x-tidegate-secret")
_BARE: Final = "ClientKeyConfig"  # a key may stand without its mapping


def json_schema(root: type[Section] = Config) -> dict[str, Any]:
    """As JSON Schema 2020-12. Rules that span several fields it cannot say: `tidegate check` has the last word.

    A number, true or false may be a reference to the environment, and an empty field counts as left out.
    """
    made = root.model_json_schema(mode="validation")
    parts = {name: _section(part) for name, part in made.pop("$defs", {}).items()}
    if _BARE in parts:
        parts[_BARE] = {"anyOf": [parts[_BARE], {"type": "string"}]}
    return {"$schema": ADDRESS, **_section(made), "title": "Tidegate's configuration", "$defs": parts}


def _section(part: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _property(value) for name, value in part.get("properties", {}).items()}
    return {**part, "properties": properties} if properties else part


def _property(value: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {name: value[name] for name in _SAID if name in value}
    core = {name: one for name, one in value.items() if name not in said and name != "title"}
    for one in core.get("anyOf", ()):  # what pydantic puts into a branch is said of the whole
        said = {name: one.pop(name) for name in _SAID if name in one} | said
    kinds = [_referable(one) for one in core.get("anyOf", [core])]
    several = [kind for one in kinds for kind in (one if isinstance(one, list) else [one])]
    return {**said, "anyOf": [*_once(several), {"type": "null"}]}


def _referable(value: Any) -> Any:
    """What may stand there: for a number, true, false or a known word also a reference; so inside of it too."""
    made = {name: one for name, one in value.items() if name != "title"}
    for inside in ("items", "additionalProperties"):
        if isinstance(made.get(inside), dict):
            kinds = _referable(made[inside])
            made[inside] = {"anyOf": kinds} if isinstance(kinds, list) else kinds
    if "anyOf" in made:
        kinds = [_referable(one) for one in made["anyOf"]]
        made["anyOf"] = _once([kind for one in kinds for kind in (one if isinstance(one, list) else [one])])
    return [made, _REFERENCE] if made.get("type") in _CONVERTED or "enum" in made or "pattern" in made else made


def _once(kinds: list[Any]) -> list[Any]:
    found: list[Any] = []
    for kind in kinds:
        if kind not in found and kind != {"type": "null"}:
            found.append(kind)
    return found
