"""Regular expressions of operators, which look through what anybody sends: only those that cannot take long.

Python's engine backtracks, so an expression is allowed when the ways in which it can be tried at one place are counted
and few: every repeat has an end, nothing that varies is repeated as a whole, nothing refers back. Then a text takes at
most `MOST_WAYS` steps a character. (Cox, "Regular Expression Matching Can Be Simple And Fast", 2007, shows the others.)
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

MOST_WAYS: Final = 1_000
LONGEST: Final = 500  # characters of an expression
_parser: Any = import_module("re._parser")  # CPython's own, since 3.11: what `re.compile` would make of it
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_SINGLE: Final = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY", "RANGE", "CATEGORY", "NEGATE", "AT"})


class BadPattern(ValueError):
    """The expression is not used; the message says why, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def checked(pattern: str) -> re.Pattern[str]:
    """The compiled expression. Raises `BadPattern`. O(length of the expression)."""
    if len(pattern) > LONGEST:
        raise BadPattern(f"longer than {LONGEST} characters", "write several shorter ones")
    try:
        parsed = _parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern("not a regular expression", f"see the syntax of Python's `re`{_where(error)}") from None
    if _ways(parsed) > MOST_WAYS:
        raise BadPattern("it can be tried in too many ways", r"use fewer or shorter repeats, as in \d{4,10}")
    if compiled.match("") is not None or parsed.getwidth()[0] == 0:
        raise BadPattern("it matches nothing at all, everywhere", "let it need at least one character")
    return compiled


def _where(error: Exception) -> str:
    """Without the words of the error, which repeat the expression."""
    position = getattr(error, "pos", None)
    return "" if position is None else f", at its character {position + 1}"


def _ways(parts: Iterable[tuple[Any, Any]]) -> int:
    """In how many ways a row of parts can be tried at one place, at most."""
    ways = 1
    for operation, argument in parts:
        ways *= _ways_of(str(operation), argument)
        if ways > MOST_WAYS:
            break
    return ways


def _ways_of(operation: str, argument: Any) -> int:
    if operation in _SINGLE:
        return 1
    if operation in _REPEATS:
        return _repeated(*argument)
    if operation == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    if operation == "SUBPATTERN":
        return _ways(argument[-1])
    if operation == "ATOMIC_GROUP":
        return _ways(argument)
    if operation in {"ASSERT", "ASSERT_NOT"}:
        return _ways(argument[1])
    raise BadPattern("it refers back to what it matched", "write it without groups that are referred to")


def _repeated(least: int, most: int, item: Any) -> int:
    """A repeat of one character can end in so many places; one of a group, only of what has one way."""
    if most == _parser.MAXREPEAT:
        raise BadPattern("a repeat has no end", "write {0,50} for *, and {1,50} for +")
    inner = _ways(item)
    if most > 1 and inner > 1:
        raise BadPattern("what varies is repeated as a whole", "repeat single characters, or what has a fixed length")
    return (most - least + 1) * inner
