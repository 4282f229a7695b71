"""Single calls, their attempts and their stories, for as long as `ledger.keep_days` keeps them.

Times are in microseconds, money is in billionths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, and_, func, literal, or_, select, text

from tidegate.model.story import Step
from tidegate.store.engine import is_sqlite
from tidegate.store.found import by_id
from tidegate.store.reports import has_tag
from tidegate.store.stories import story
from tidegate.store.tables import CALLS, FAILED, SLOW, SLOW_US, TRIES, WAITED, WAITED_US
from tidegate.units import DAY_US

Found = Mapping[str, Any]  # a row by the names of its columns

MOST: Final = 1_000  # of a page
HIT: Final = "hit"
MADE: Final = "made"
_FAILED: Final = 400


@dataclass(frozen=True, slots=True)
class CallsQuery:
    """Calls that ended from `from_us` to before `to_us`; `filters` by the names of columns.

    `slower_us`, `waited_us`: that took, or waited, at least so long. `words`: what befell them (`rows.why`), all of
    these, with a space around a whole word. `status`: from the first to the second. `before`: when the last call of
    the page before ended, and its id. `cache`: that it answered (`HIT`, or the name of a layer), or did not (`MADE`).
    """

    from_us: int
    to_us: int
    filters: Mapping[str, str] = field(default_factory=dict)
    errors: bool = False
    before: tuple[int, int] | None = None
    limit: int = 100
    slower_us: int = 0
    waited_us: int = 0
    words: Sequence[str] = ()
    status: tuple[int, int] | None = None
    cache: str = ""


class Whole(NamedTuple):
    """A call, its attempts in order, and its story."""

    row: Found
    tries: list[Found]
    story: Sequence[Step]


def calls(connection: Connection, wanted: CallsQuery) -> list[Found]:
    """A page, the newest first. By an index of those that failed, were slow, waited, or had something befall them.

    O(calls of the period) at worst: where the other filters fit few of many.
    """
    return page(connection, looking(wanted).where(*within(CALLS, wanted)), wanted.limit)


def within(table: Table, wanted: CallsQuery) -> list[ColumnElement[bool]]:
    """What rows of its time fulfil, behind the page before; of `calls`, or of `hits`."""
    at, its, day = table.c.at_us, table.c.call_id, table.c.day
    days = day >= wanted.from_us // DAY_US, day <= (wanted.to_us - 1) // DAY_US  # all that is looked into
    given = [at >= wanted.from_us, at < wanted.to_us, *days]
    if wanted.before is not None:
        at_us, call_id = wanted.before
        given += [at <= at_us, or_(at < at_us, and_(at == at_us, its < call_id))]
    return given


def page(connection: Connection, query: "Select[Any]", limit: int, of: Table = CALLS) -> list[Found]:
    """The newest of these.

    SQLite fetches each row that an index names before it looks whether it fits, so it is asked for keys first, of which
    the indexes tell all that is mostly asked for.
    """
    table, newest = of.c, (of.c.at_us.desc(), of.c.call_id.desc())
    query = query.order_by(*newest).limit(max(1, min(limit, MOST)))
    if is_sqlite(connection):
        its = query.with_only_columns(table.day, table.journal, table.call_id, maintain_column_froms=True).subquery()
        same = and_(table.day == its.c.day, table.journal == its.c.journal, table.call_id == its.c.call_id)
        query = select(of).join(its, same).order_by(*newest)
    return [plain(row) for row in connection.execute(query).mappings()]


def looking(wanted: CallsQuery) -> "Select[Any]":
    """Rows that fulfil it, whenever they ended.

    An index of some calls asks for its condition word for word (`tables.some`). SQLite, which knows no figures of the
    table, would rather go through all calls in order, so it is told.
    """
    table = CALLS.c
    given = [
        has_tag(table.tag, value) if name == "tag" else table[name] == value for name, value in wanted.filters.items()
    ]
    if wanted.status is not None:
        given.append(table.status.between(*wanted.status))
    if wanted.slower_us:
        given.append(table.duration_us >= wanted.slower_us)
    if wanted.waited_us:
        given.append(table.queued_us + table.waited_us >= wanted.waited_us)
    padded = literal(" ") + table.why + literal(" ")
    # Not LIKE, of which PostgreSQL thinks that hardly a row fits: it would fetch and sort all instead of the newest.
    given += [func.replace(padded, word, "") != padded for word in wanted.words]
    query = select(CALLS).where(*given)
    if (indexed := _index(wanted)) is None:
        return query
    name, condition = indexed
    query = query.where(text(condition))
    return query.with_hint(CALLS, f"INDEXED BY ix_calls_{name}", "sqlite")


def _index(wanted: CallsQuery) -> tuple[str, str] | None:
    """The index of some calls that has them all, and its condition: the one with the fewest."""
    filters, status = wanted.filters, wanted.status
    named = [(name, f"{name} <> ''") for name in ("trace_id", "request_id") if name in filters]
    failed = wanted.errors or (status is not None and status[0] >= _FAILED)
    found = [
        *named,
        *([("failed", FAILED)] if failed else []),
        *([("waited", WAITED)] if wanted.waited_us >= WAITED_US else []),
        *([("why", "why <> ''")] if wanted.words else []),
        *([("slow", SLOW)] if wanted.slower_us >= SLOW_US else []),
    ]
    return found[0] if found else None


def call(connection: Connection, call_id: int, namespace: str | None = None) -> Whole | None:
    """A call of this id (of this namespace) with its attempts and its story; None: there is none."""
    query = select(CALLS).where(by_id(connection, CALLS, call_id))
    if namespace is not None:
        query = query.where(CALLS.c.namespace == namespace)
    row = connection.execute(query.order_by(CALLS.c.day.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    its = select(TRIES).where(_of(row)).order_by(TRIES.c.number)
    tries = [plain(one) for one in connection.execute(its).mappings()]
    return Whole(plain(row), tries, story(connection, row["day"], row["journal"], row["call_id"]))


def _of(row: RowMapping) -> ColumnElement[bool]:
    table = TRIES.c
    return and_(table.day == row["day"], table.journal == row["journal"], table.call_id == row["call_id"])


def plain(row: RowMapping) -> Found:
    """A row by the names of its columns."""
    return {str(name): value for name, value in row.items()}
