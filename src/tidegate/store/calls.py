"""Single calls, their attempts and their stories, for as long as `ledger.keep_days` keeps them.

Times are in microseconds, money is in billionths.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    and_,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    text,
    true,
)  # fmt: skip

from tidegate.model.story import Step
from tidegate.store.engine import is_sqlite
from tidegate.store.found import by_id
from tidegate.store.minutes import Term, minutes
from tidegate.store.postings import (
    ACCOUNT,
    DURATION,
    LONGEST,
    NAMED,
    SEPARATOR,
    STATUS,
    TAG,
    WAIT,
    WHY,
    length,
    status_of,
)  # fmt: skip
from tidegate.store.reports import has_tag
from tidegate.store.stories import story
from tidegate.store.tables import CALLS, FAILED, SLOW, SLOW_US, TRIES, WAITED, WAITED_US
from tidegate.units import DAY_US, MINUTE_US

Found = Mapping[str, Any]  # a row by the names of its columns

MOST: Final = 1_000  # of a page
HIT: Final = "hit"
MADE: Final = "made"
_FAILED: Final = 400
_FEW: Final = 16  # minutes that are looked into first
_MANY: Final = 1_024


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

    Of the minutes only that have what is sought: O(their calls), the newest as many as the page takes.
    """
    terms = _terms(wanted)
    query = looking(wanted).where(*within(CALLS, wanted, sought=not terms))
    if not terms:
        return page(connection, query, wanted.limit)
    hint = None if _index(wanted) else "namespace_at_us" if "namespace" in wanted.filters else "at_us"
    if hint is not None:
        query = query.with_hint(CALLS, f"INDEXED BY ix_calls_{hint}", "sqlite")
    return _of_minutes(connection, query, wanted, terms)


def within(table: Table, wanted: CallsQuery, *, sought: bool = True) -> list[ColumnElement[bool]]:
    """What rows of its time fulfil, behind the page before; of `calls`, or of `hits`.

    `sought`: by an index of moments. SQLite takes any of two conditions for that, and the minutes' is to be the one.
    """
    its, day = table.c.call_id, table.c.day
    at: ColumnElement[int] = table.c.at_us if sought else table.c.at_us + 0
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


def _of_minutes(connection: Connection, query: "Select[Any]", wanted: CallsQuery, terms: Sequence[Term]) -> list[Found]:
    """Some minutes at a time: about as many as are likely to fill the page, by what was in those before."""
    found: list[Found] = []
    most, looked, many = max(1, min(wanted.limit, MOST)), 0, _FEW
    to_us = wanted.to_us if wanted.before is None else min(wanted.to_us, wanted.before[0] + 1)
    for known in minutes(connection, terms, wanted.from_us, to_us):
        at = 0
        while at < len(known):
            some = known[at : at + many]
            found += in_minutes(connection, query, some, most - len(found))
            if len(found) >= most:
                return found
            at, looked = at + len(some), looked + len(some)
            likely = looked * (most - len(found)) * 5 // (4 * len(found)) if found else _MANY
            many = max(_FEW, min(8 * many, likely, _MANY))
    return found


def in_minutes(connection: Connection, query: "Select[Any]", some: Sequence[int], limit: int) -> list[Found]:
    """The newest of these minutes, each found by an index of moments. Both databases would rather go through all."""
    at = CALLS.c.at_us
    if is_sqlite(connection):
        each = func.json_each(json.dumps(some)).table_valued(column("value", BigInteger), name="minutes")
        its = and_(at >= each.c.value * MINUTE_US, at < (each.c.value + 1) * MINUTE_US)
        return page(connection, query.select_from(each.join(CALLS, its)).with_hint(each, "CROSS", "sqlite"), limit)
    each = (
        func.unnest(cast(list(some), ARRAY(BigInteger)))
        .table_valued(column("value", BigInteger), name="minutes")
        .render_derived()
    )
    its = and_(at >= each.c.value * MINUTE_US, at < (each.c.value + 1) * MINUTE_US)
    day = CALLS.c.day == each.c.value * MINUTE_US // DAY_US
    of = query.where(its, day).order_by(at.desc(), CALLS.c.call_id.desc()).limit(limit).lateral("its")
    newest = select(of).select_from(each.join(of, true())).order_by(of.c.at_us.desc(), of.c.call_id.desc()).limit(limit)
    return [plain(row) for row in connection.execute(newest).mappings()]


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
    failed = wanted.errors or (status is not None and (status[0] >= _FAILED or status[1] == 0))
    found = [
        *named,
        *([("failed", FAILED)] if failed else []),
        *([("waited", WAITED)] if wanted.waited_us >= WAITED_US else []),
        *([("why", "why <> ''")] if wanted.words else []),
        *([("slow", SLOW)] if wanted.slower_us >= SLOW_US else []),
    ]
    return found[0] if found else None


def _terms(wanted: CallsQuery) -> list[Term]:
    """What the minutes of calls that fulfil it have; nothing where an index of its own has all that is sought."""
    filters, status = wanted.filters, wanted.status
    if "trace_id" in filters or "request_id" in filters:
        return []
    found = [Term(name, filters[name]) for name in (*NAMED, ACCOUNT) if name in filters]
    found += [Term(TAG, one) for one in filters[TAG].split(SEPARATOR)] if TAG in filters else []
    found += [Term(WHY, one, part=word == word.strip()) for word in wanted.words for one in word.split()]
    if status is not None:
        found.append(Term(STATUS, status_of(status[0]), status_of(status[1])))
    if wanted.slower_us:
        found.append(Term(DURATION, length(wanted.slower_us), LONGEST))
    if wanted.waited_us:
        found.append(Term(WAIT, length(wanted.waited_us), LONGEST))
    return found if any(term.field != "namespace" for term in found) else []


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
