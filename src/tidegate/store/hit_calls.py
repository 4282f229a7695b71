"""Calls that the cache answered, told as the others are: found by the same words, with the same columns.

A call that a stale answer stood in for has a row of its own among calls, and is found there.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, select, text

from tidegate.model.facts import STALE
from tidegate.store.calls import HIT, MADE, CallsQuery, Found, page
from tidegate.store.hit_tables import HITS
from tidegate.store.reports import has_tag
from tidegate.store.tables import CALLS

_ANSWERED: Final = 200  # what each of them was told
_COLUMNS: Final = {"model": "asked", "served": "model"}  # by their names among calls
_NAMED: Final = ("trace_id", "request_id")
_SAVED: Final = (
    "layer", "source", "similarity_permille", "age_us", "charged", "prompt_tokens", "completion_tokens", "cost_nano",
)  # fmt: skip
_SAME: Final = (
    "day", "journal", "call_id", "at_us", "namespace", "user", "key", "tier", "plan", "provider", "tag", "streamed",
    "read_us", "duration_us", "trace_id", "request_id",
)  # fmt: skip
_NOTHING: Final[Found] = {column.name: 0 if column.type.python_type in {int, bool} else "" for column in CALLS.columns}


def looking(wanted: CallsQuery) -> "Select[Any] | None":
    """Rows that fulfil it, whenever they were answered; None where no hit can: none failed, waited or was refused."""
    fits = wanted.status is None or wanted.status[0] <= _ANSWERED <= wanted.status[1]
    names = {name: _COLUMNS.get(name, name) for name in wanted.filters}
    known = all(name in HITS.c for name in names.values())
    if wanted.cache == MADE or wanted.errors or wanted.words or wanted.waited_us or not (fits and known):
        return None
    table = HITS.c
    given: list[ColumnElement[bool]] = [
        has_tag(table.tag, value) if name == "tag" else table[names[name]] == value
        for name, value in wanted.filters.items()
    ]
    if wanted.slower_us:
        given.append(table.duration_us >= wanted.slower_us)
    if not wanted.cache:
        given.append(table.layer != STALE)
    elif wanted.cache != HIT:
        given.append(table.layer == wanted.cache)
    query = select(HITS).where(*given)
    for name in _NAMED:
        if name in wanted.filters:  # as the index says it, word for word; and SQLite is told, as of calls
            query = query.where(text(f"{name} <> ''"))
            return query.with_hint(HITS, f"INDEXED BY ix_hits_{name}", "sqlite")
    return query


def rows(connection: Connection, query: "Select[Any]", limit: int) -> list[Found]:
    """The newest of these, as calls."""
    return [as_call(row) for row in page(connection, query, limit, HITS)]


def as_call(row: Found) -> Found:
    """By the names of the columns of `calls`; what the cache did, and so saved, stands in `hit`."""
    own = {
        "model": row["asked"],
        "served": row["model"],
        "cache": row["layer"],
        "status": _ANSWERED,
        "hit": {name: row[name] for name in _SAVED},
    }
    return {**_NOTHING, **{name: row[name] for name in _SAME}, **own}
