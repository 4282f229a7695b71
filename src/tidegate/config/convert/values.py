"""Values of a LiteLLM file: references to the environment, numbers, spans of time."""

import re
from typing import Any, Final

from tidegate.config.convert.draft import Draft, literal

_ENVIRON: Final = "os.environ/"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DAYS: Final = {"24h": "per_day", "1d": "per_day", "30d": "per_month", "31d": "per_month", "1mo": "per_month"}


def reference(value: Any, draft: Draft) -> str | None:
    """`os.environ/NAME` as our reference; None when it is none."""
    if isinstance(value, str) and value.startswith(_ENVIRON):
        name = value.removeprefix(_ENVIRON)
        if _VARIABLE.fullmatch(name):
            return draft.variable(name)
    return None


def text(value: Any, draft: Draft) -> str:
    """A value that is no secret: a reference, or as it stands."""
    return reference(value, draft) or literal(str(value))


def secret(value: Any, draft: Draft, variable: str) -> tuple[str, str]:
    """A reference for a secret, and what is to be said of it: a secret itself is never copied."""
    found = reference(value, draft)
    if found is not None:
        return found, ""
    name = draft.secret(str(value), variable)
    return draft.variable(name), f"put the value into the variable {name}: no secret is copied"


def number(value: Any) -> float | None:
    """A number, also one in quotes; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e15 else None


def count(value: Any) -> int | None:
    """A whole number of at least 1."""
    found = number(value)
    return int(found) if found is not None and found >= 1 and found == int(found) else None


def tidy(value: float) -> float:
    """As it is written: 60 and not 60.0."""
    return int(value) if value == int(value) else value


def budget_span(value: Any) -> str | None:
    """The calendar span of ours that is nearest to a `budget_duration`."""
    return _DAYS.get(str(value))


def strings(value: Any) -> list[str]:
    """The texts of a list; one text alone is a list of it."""
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, str)]
