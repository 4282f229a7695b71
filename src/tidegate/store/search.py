"""Looking for calls, whoever answered them: a provider, or the cache."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select

from tidegate.model.facts import STALE
from tidegate.store import calls, hit_calls, hit_reports
from tidegate.store.calls import MADE, MOST, CallsQuery, Found, Whole
from tidegate.store.hit_tables import HITS


class Queries(NamedTuple):
    """What is asked of either table; None: nothing, as none of its rows can fulfil it."""

    calls: "Select[Any] | None"
    hits: "Select[Any] | None"


def looking(wanted: CallsQuery) -> Queries:
    """Rows that fulfil it, whenever they ended."""
    made = not wanted.cache or wanted.cache == MADE
    return Queries(calls.looking(wanted) if made else None, hit_calls.looking(wanted))


def search(connection: Connection, wanted: CallsQuery) -> list[Found]:
    """A page, the newest first. O(calls of the period) at worst, as either part."""
    found: list[Found] = []
    asked = looking(wanted)
    if asked.calls is not None:
        found += calls.calls(connection, wanted)
    if asked.hits is not None:
        found += hit_calls.rows(connection, asked.hits.where(*calls.within(HITS, wanted)), wanted.limit)
    return newest(found)[: max(1, min(wanted.limit, MOST))]


def newest(found: Sequence[Found]) -> list[Found]:
    """In the order of a page."""
    return sorted(found, key=_ended, reverse=True)


def call(connection: Connection, call_id: int, namespace: str | None = None) -> Whole | None:
    """A call of this id (of this namespace), made or answered by the cache; None: there is none."""
    made = calls.call(connection, call_id, namespace)
    if made is not None and made.row["cache"] != STALE:
        return made
    hit = hit_reports.hit(connection, call_id, namespace)
    if hit is None:
        return made
    told = hit_calls.as_call(hit)
    return Whole(told, [], ()) if made is None else made._replace(row={**made.row, "hit": told["hit"]})


def _ended(row: Found) -> tuple[int, int]:
    return row["at_us"], row["call_id"]
