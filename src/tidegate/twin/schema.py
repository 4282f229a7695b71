"""A value that fits a JSON schema, made of what the user said where it can be. Pure.

Understood: `type`, `enum`, `const`, `properties`, `required`, `items`, `prefixItems`, `minItems`, `anyOf`, `oneOf`,
`allOf`, `$ref` into the schema itself, bounds of numbers and lengths, and the usual formats. Numbers are taken from the
text in their order, strings from what stands in quotes. A property that is not required is left out below `_DEEP`, so
that recursive schemas end. Source: JSON Schema 2020-12, https://json-schema.org/draft/2020-12.
"""

import re
from typing import Any, Final

_SHALLOW: Final = 4  # deeper, only what is required is made
_DEEP: Final = 16  # deeper, nothing is
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
_QUOTED: Final = re.compile(r"(?<!\w)'([^'\n]{1,200})'(?!\w)|\"([^\"\n]{1,200})\"|`([^`\n]{1,200})`")
_ANY_OBJECT: Final = frozenset({"type", "title", "description", "$schema"})  # it says nothing of properties
_FORMATS: Final = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "t1@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/t1",
    "uuid": "00000000-0000-4000-8000-000000000001",
}


def quoted(text: str) -> list[str]:
    """What stands in quotes, in order."""
    return [next(filter(None, found), "") for found in _QUOTED.findall(text)]


def sample(schema: Any, text: str = "") -> Any:
    """A value that fits, any value where the schema is none; any object has the keys that were named. O(schema)."""
    if isinstance(schema, dict) and schema.get("type") == "object" and schema.keys() <= _ANY_OBJECT:
        return _named(text)
    return _Sampler(schema, text).value(schema, 0)


def free_form(text: str) -> dict[str, Any]:
    """An object without a schema: its keys are the names that the text has in quotes."""
    return _named(text) or {"answer": "t1"}


def _named(text: str) -> dict[str, Any]:
    return dict.fromkeys([name for name in quoted(text) if name.isidentifier()], "t1")


class _Sampler:
    """One walk through a schema; the words of the text are used up as it goes."""

    __slots__ = ("_numbers", "_root", "_strings")

    def __init__(self, root: Any, text: str) -> None:
        self._root = root
        self._strings = iter(quoted(text))
        self._numbers = iter(_NUMBER.findall(text))

    def value(self, schema: Any, depth: int) -> Any:
        schema = self._resolved(schema, depth)
        if not isinstance(schema, dict) or depth > _DEEP:
            return None
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return schema["enum"][0]
        kind = _kind(schema)
        make = {"object": self._object, "array": self._array}.get(kind)
        return self._plain(kind, schema) if make is None else make(schema, depth)

    def _plain(self, kind: str, schema: dict[str, Any]) -> Any:
        match kind:
            case "integer":
                return int(self._number(schema, integer=True))
            case "number":
                return self._number(schema, integer=False)
            case "string":
                return self._string(schema)
            case "boolean":
                return True
        return None

    def _resolved(self, schema: Any, depth: int) -> Any:
        """References followed, the first useful alternative taken, all parts of `allOf` put together."""
        for _ in range(_DEEP):
            if not isinstance(schema, dict):
                return schema
            if isinstance(schema.get("$ref"), str):
                schema = {**self._referred(schema["$ref"]), **{k: v for k, v in schema.items() if k != "$ref"}}
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                rest = {name: part for name, part in schema.items() if name not in {"anyOf", "oneOf"}}
                schema = _merged(rest, _useful(choices, deep=depth >= _SHALLOW))
            elif isinstance(schema.get("allOf"), list):
                parts = [self._resolved(part, depth + 1) for part in schema["allOf"]]
                whole = {name: part for name, part in schema.items() if name != "allOf"}
                for part in parts:
                    whole = _merged(whole, part)
                schema = whole
            else:
                return schema
        return None

    def _referred(self, pointer: str) -> dict[str, Any]:
        found = self._root
        for name in pointer.removeprefix("#").strip("/").split("/") if pointer != "#" else ():
            found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        rows = properties.items() if isinstance(properties, dict) else ()
        required = schema.get("required")
        needed = set(required) if isinstance(required, list) else set()
        made = {name: self.value(inner, depth + 1) for name, inner in rows if depth < _SHALLOW or name in needed}
        return made | {name: "t1" for name in needed if isinstance(name, str) and name not in made}

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        made = [self.value(inner, depth + 1) for inner in first] if isinstance(first, list) else []
        least = _whole(schema.get("minItems"), 0)
        wanted = max(least, 1 if "items" in schema and depth < _SHALLOW and schema.get("maxItems") != 0 else 0)
        while len(made) < min(wanted, 1_000):
            made.append(self.value(schema.get("items", {"type": "string"}), depth + 1))
        return made

    def _number(self, schema: dict[str, Any], *, integer: bool) -> float:
        said = next(self._numbers, None)
        value: float = (1 if integer else 1.5) if said is None else float(said)
        step = schema.get("multipleOf")
        edge = step if isinstance(step, int | float) and step > 0 else (1 if integer else 0.5)
        for name, shift in (("minimum", 0), ("exclusiveMinimum", edge)):
            if isinstance(bound := schema.get(name), int | float):
                value = max(value, bound + shift)
        for name, shift in (("maximum", 0), ("exclusiveMaximum", edge)):
            if isinstance(bound := schema.get(name), int | float):
                value = min(value, bound - shift)
        if isinstance(step, int | float) and step > 0:
            value = -(-value // step) * step
        return value

    def _string(self, schema: dict[str, Any]) -> str:
        form = schema.get("format")
        text = _FORMATS.get(form) if isinstance(form, str) else None
        text = text or next(self._strings, "t1")
        least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), 1 << 30)
        return (text + "t" * (min(least, 100_000) - len(text)))[:most]


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "array" if "items" in schema else "object")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind)


def _useful(choices: Any, *, deep: bool) -> Any:
    """The first alternative that is not null; null itself where it is deep enough."""
    rows = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    nulls = [one for one in rows if one.get("type") == "null"]
    if deep and nulls:
        return nulls[0]
    return next((one for one in rows if one.get("type") != "null"), nulls[0] if nulls else {})


def _merged(whole: dict[str, Any], part: Any) -> dict[str, Any]:
    if not isinstance(part, dict):
        return whole
    both = whole | part
    if isinstance(whole.get("properties"), dict) and isinstance(part.get("properties"), dict):
        both["properties"] = whole["properties"] | part["properties"]
    if isinstance(whole.get("required"), list) and isinstance(part.get("required"), list):
        both["required"] = whole["required"] + part["required"]
    return both


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
