"""Provider profiles: dated data on how a provider charges, resets and words its refusals."""

from pathlib import Path
from typing import Any

import msgspec

import tidegate
from tidegate.config.source import Document, decode, parse
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Profile

_FOLDER = Path(tidegate.__file__).parent / "providers" / "profiles"


def profile_names() -> tuple[str, ...]:
    """The names of the profiles that come with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_profile(name: str) -> Profile:
    """The profile `name`. Raises `OSError` when there is none and `ValueError` when it is wrong."""
    path = _FOLDER / f"{name}.yaml"
    return parse_profile(path.read_bytes(), name)


def parse_profile(raw: bytes, name: str) -> Profile:
    """A profile from YAML. Raises `ValueError` naming the field that is wrong."""
    document: Document = parse(decode(raw), {})
    if document.findings or not isinstance(document.data, dict):
        raise ValueError(f"profile {name}: {document.findings[0].sentence() if document.findings else 'not a mapping'}")
    data: dict[str, Any] = dict(document.data)
    if "jitter_ms" in data:
        data["jitter_us"] = round(data.pop("jitter_ms") * 1000)
    data["refusals"] = [row for rule in data.get("refusals", ()) for row in _rows(rule, name)]
    try:
        return msgspec.convert({"name": name, **data}, Profile)
    except msgspec.ValidationError as error:
        raise ValueError(f"profile {name}: {error}") from None


def _rows(rule: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """One row for each of the statuses, codes or types that a rule lists."""
    if rule.get("reason") not in Reason.__members__:
        raise ValueError(f"profile {name}: a refusal names no known reason; use one of {', '.join(Reason.__members__)}")
    rows: list[dict[str, Any]] = [rule]
    for field in ("status", "code", "type", "text"):
        rows = [
            {**row, field: value} if field in row else row
            for row in rows
            for value in (row[field] if isinstance(row.get(field), list) else [row.get(field)])
        ]
    return rows
