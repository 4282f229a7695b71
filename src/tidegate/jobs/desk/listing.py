"""What a query string asks of a list or of a wait: every refusal names the parameter and what would be right."""

from typing import Final

from starlette.datastructures import QueryParams

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.jobs.records import Filter, Owner
from tidegate.model.jobs import ENDS, QUEUED, RUNNING

STATES: Final = (QUEUED, RUNNING, *ENDS)
MOST: Final = 100
USUAL: Final = 20
LONGEST_SECONDS: Final = 60
_LONGEST: Final = 256
_LISTS: Final = ("state", "model", "tag", "batch", "limit", "after")
_WAITS: Final = ("wait",)


def filter_of(query: QueryParams, owner: Owner) -> Filter:
    """Which jobs are wanted; its `limit` is one more than was asked for, to see whether there are more."""
    _check(query, _LISTS)
    states = tuple(dict.fromkeys(one for told in query.getlist("state") for one in told.split(",") if one))
    for state in states:
        if state not in STATES:
            raise _wrong("state", f"is none of {', '.join(STATES)}")
    return Filter(
        owner=owner,
        states=states,
        model=_text(query, "model"),
        tag=_text(query, "tag"),
        batch=_text(query, "batch"),
        before=_text(query, "after"),
        limit=_number(query, "limit", USUAL, range(1, MOST + 1)) + 1,
    )


def wait_us(query: QueryParams) -> int:
    """For how long who asks would wait for an answer, 0 = not at all."""
    _check(query, _WAITS)
    return _number(query, "wait", 0, range(LONGEST_SECONDS + 1)) * 1_000_000


def _check(query: QueryParams, known: tuple[str, ...]) -> None:
    for name in query:
        if name not in known:
            raise _wrong(name[:_LONGEST], f"is not known here: there is {', '.join(known)}")


def _text(query: QueryParams, name: str) -> str:
    value = query.get(name, "")
    if len(value) > _LONGEST or (value and not value.isprintable()):
        raise _wrong(name, f"has at most {_LONGEST} printable characters")
    return value


def _number(query: QueryParams, name: str, usual: int, within: range) -> int:
    value = query.get(name)
    if value is None:
        return usual
    if not (value.isascii() and value.isdecimal() and len(value) < len(str(within.stop)) + 1 and int(value) in within):
        raise _wrong(name, f"is no whole number from {within.start} to {within.stop - 1}")
    return int(value)


def _wrong(name: str, problem: str) -> Refused:
    return Refused(Fault.BAD_REQUEST, f"The parameter '{name}' {problem}.", name)
