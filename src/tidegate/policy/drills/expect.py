"""Whether an answer meets an expectation, as far as that can be told by looking at it. Pure.

Patterns, schemas, similarity and judges need more than that: `drills/judging.py`.
"""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from tidegate.model import drills as records
from tidegate.model.drills import Expectation
from tidegate.policy.drills.language import is_written_in
from tidegate.policy.drills.told import Told

_SHOWN: Final = 60  # characters of an expectation's own words that a reason quotes


class Verdict(NamedTuple):
    """Of one expectation. `met` None: it could not be found out, which is never a pass."""

    kind: str
    weight: int
    met: bool | None
    why: str = ""


def judged(expectation: Expectation, met: bool | None, why: str = "") -> Verdict:
    """A verdict on it."""
    return Verdict(expectation.kind, expectation.weight, met, "" if met else why)


def looked_at(expectation: Expectation, told: Told) -> Verdict | None:
    """None: looking is not enough. O(answer × words)."""
    check = _CHECKS.get(expectation.kind)
    if check is None:
        return None
    why = check(expectation, told)
    return judged(expectation, not why, why)


def _folded(expectation: Expectation, text: str) -> str:
    return text.casefold() if expectation.fold else text


def _missing(expectation: Expectation, told: Told) -> list[str]:
    text = _folded(expectation, told.text)
    return [word for word in expectation.words if _folded(expectation, word) not in text]


def _contains(expectation: Expectation, told: Told) -> str:
    missing = _missing(expectation, told)
    return f"it lacks {_quoted(missing[0])}" if missing else ""


def _contains_any(expectation: Expectation, told: Told) -> str:
    lacks = len(_missing(expectation, told)) == len(expectation.words)
    return f"it holds none of {', '.join(map(_quoted, expectation.words[:5]))}" if lacks else ""


def _not_contains(expectation: Expectation, told: Told) -> str:
    missing = _missing(expectation, told)
    held = next((word for word in expectation.words if word not in missing), None)
    return "" if held is None else f"it holds {_quoted(held)}"


def _is_json(_expectation: Expectation, told: Told) -> str:
    try:
        json.loads(told.text)
    except (ValueError, RecursionError):
        return "it is not JSON"
    return ""


def _seconds(expectation: Expectation, told: Told) -> str:
    late = told.seconds > expectation.most
    return f"it took {told.seconds:.1f} s, more than {expectation.most:g} s" if late else ""


def _length(expectation: Expectation, told: Told) -> str:
    length, most = len(told.text), expectation.most
    if length < expectation.least:
        return f"it has {length} characters, fewer than {expectation.least:g}"
    return f"it has {length} characters, more than {most:g}" if most and length > most else ""


def _language(expectation: Expectation, told: Told) -> str:
    return "" if is_written_in(told.text, expectation.text) else f"it is not in the language {expectation.text}"


def _finish(expectation: Expectation, told: Told) -> str:
    ended = told.finish or "nothing"
    return "" if told.finish in expectation.words else f"it ended by {ended[:_SHOWN]}, not {expectation.words[0]}"


def _tool(expectation: Expectation, told: Told) -> str:
    """Whether it is called with a JSON object at all; what a schema says of that comes on top."""
    called = [one for one in told.tools if one.name == expectation.text]
    if not called:
        return f"it does not call {_quoted(expectation.text)}"
    return "" if any(arguments_of(one.arguments) is not None for one in called) else "its arguments are no JSON object"


def arguments_of(text: str) -> dict[str, object] | None:
    """The arguments of a tool's call; none at all are an empty object."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _quoted(word: str) -> str:
    return f"“{word if len(word) <= _SHOWN else word[:_SHOWN] + '…'}”"


_CHECKS: Final[dict[str, Callable[[Expectation, Told], str]]] = {
    records.CONTAINS: _contains,
    records.CONTAINS_ANY: _contains_any,
    records.NOT_CONTAINS: _not_contains,
    records.IS_JSON: _is_json,
    records.MAX_SECONDS: _seconds,
    records.LENGTH: _length,
    records.LANGUAGE: _language,
    records.FINISH: _finish,
}


def calls_tool(expectation: Expectation, told: Told) -> Verdict:
    """Whether the tool is called at all, with a JSON object."""
    why = _tool(expectation, told)
    return judged(expectation, not why, why)
