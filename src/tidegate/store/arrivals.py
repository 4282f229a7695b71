"""Calls of a period as they arrived, page by page in the order of the tables' keys: those that were made, then hits.

A page costs what it holds: keys are a range, whatever the length of the period. Calls that were refused stand among
them, as the ledger has them.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select, tuple_

from tidegate.model.arrivals import Arrival, ArrivalPage, Asked
from tidegate.store.hit_tables import HITS
from tidegate.store.tables import ATTEMPTS, CALLS
from tidegate.units import DAY_US

MOST: Final = 10_000  # of a page
_MADE, _HIT = "calls", "hits"
_COLUMNS: Final = (1 << 31, 1 << 15, 1 << 63)  # what day, journal and call_id hold
_SAME: Final = (
    "namespace", "user", "key", "tier", "plan", "model", "provider", "scope", "served", "status", "attempts",
    "degraded", "queued_us", "waited_us", "first_byte_us", "duration_us", "prompt_tokens", "completion_tokens",
    "cached_tokens", "written_tokens", "charged_tokens", "cost_nano", "cache", "job", "tag", "request_bytes", "why",
    "most_tokens", "deadline_us",
)  # fmt: skip


class Cursor(NamedTuple):
    """Behind which row the next page begins."""

    table: str
    day: int
    journal: int
    call_id: int

    def __str__(self) -> str:
        return f"{self.table}-{self.day}-{self.journal}-{self.call_id}"


class ArrivalsQuery(NamedTuple):
    """Calls that ended from `from_us` to before `to_us`. `namespace`: of that one only, None = of all."""

    from_us: int
    to_us: int
    namespace: str | None = None
    behind: Cursor | None = None
    limit: int = MOST


def cursor_of(text: str) -> Cursor | None:
    """As `ArrivalPage.next` has it; None for what is none."""
    table, *digits = text.split("-")
    if table not in {_MADE, _HIT} or len(digits) != len(_COLUMNS):
        return None
    if not all(one.isdecimal() and one.isascii() for one in digits):
        return None
    numbers = [int(one) for one in digits]
    fits = all(number < most for number, most in zip(numbers, _COLUMNS, strict=True))
    return Cursor(table, *numbers) if fits else None


def arrivals(connection: Connection, wanted: ArrivalsQuery) -> ArrivalPage:
    """A page. O(its rows), and those of other namespaces between them."""
    limit = max(1, min(wanted.limit, MOST))
    if wanted.behind is None or wanted.behind.table == _MADE:
        rows = _rows(connection, CALLS, wanted, limit)
        tries = _tries(connection, rows) if any(row["attempts"] for row in rows) else {}
        found = [_made(row, tries.get(_key(row), ())) for row in rows]
        following = Cursor(_MADE, *_key(rows[-1])) if len(rows) == limit else Cursor(_HIT, 0, 0, 0)
        return ArrivalPage(tuple(found), str(following))
    rows = _rows(connection, HITS, wanted, limit)
    following_hit = str(Cursor(_HIT, *_key(rows[-1]))) if len(rows) == limit else ""
    return ArrivalPage(tuple(map(_hit, rows)), following_hit)


def _rows(connection: Connection, table: Table, wanted: ArrivalsQuery, limit: int) -> list[RowMapping]:
    of, key = table.c, tuple_(table.c.day, table.c.journal, table.c.call_id)
    query = select(table).where(
        of.day >= wanted.from_us // DAY_US,
        of.day <= wanted.to_us // DAY_US,
        of.at_us >= wanted.from_us,
        of.at_us < wanted.to_us,
    )
    if wanted.namespace is not None:
        query = query.where(of.namespace == wanted.namespace)
    if wanted.behind is not None and wanted.behind.day:
        query = query.where(key > tuple_(*wanted.behind[1:]))
    query = query.order_by(of.day, of.journal, of.call_id).limit(limit)
    return list(connection.execute(query).mappings())


def _tries(connection: Connection, rows: list[RowMapping]) -> Mapping[tuple[int, int, int], list[RowMapping]]:
    """The attempts that stand in rows of their own, by their calls."""
    found: dict[tuple[int, int, int], list[RowMapping]] = {}
    for row in connection.execute(select(ATTEMPTS).where(_between(rows)).order_by(ATTEMPTS.c.number)).mappings():
        found.setdefault(_key(row), []).append(row)
    return found


def _between(rows: list[RowMapping]) -> ColumnElement[bool]:
    key = tuple_(ATTEMPTS.c.day, ATTEMPTS.c.journal, ATTEMPTS.c.call_id)
    return key.between(tuple_(*_key(rows[0])), tuple_(*_key(rows[-1])))


def _key(row: RowMapping) -> tuple[int, int, int]:
    return row["day"], row["journal"], row["call_id"]


def _made(row: RowMapping, tries: Iterable[RowMapping]) -> Arrival:
    at_us = row["at_us"] - row["duration_us"]
    return Arrival(
        at_us,
        streamed=bool(row["streamed"]),
        estimated=bool(row["estimated"]),
        tries=tuple(_asked(one, at_us) for one in tries),
        **{name: row[name] for name in _SAME},
    )


def _asked(row: RowMapping, at_us: int) -> Asked:
    after = max(0, row["at_us"] - at_us)
    return Asked(row["provider"], row["scope"], row["model"], after, row["duration_us"], row["status"], row["reason"])


def _hit(row: RowMapping) -> Arrival:
    """It took no time worth telling; its tier is not told."""
    return Arrival(
        row["at_us"],
        row["namespace"],
        row["user"],
        row["key"],
        plan=row["plan"],
        model=row["plan"],
        provider=row["provider"],
        served=row["model"],
        status=200,
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        tag=row["tag"],
        hit=row["layer"],
    )
