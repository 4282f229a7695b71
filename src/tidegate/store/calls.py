"""Single calls and their attempts, for as long as `ledger.keep_days` keeps them.

Times are in microseconds, money is in billionths.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select

from tidegate.store.found import by_id
from tidegate.store.reports import has_tag
from tidegate.store.tables import CALLS, TRIES

Found = Mapping[str, Any]  # a row by the names of its columns

MOST: Final = 1_000  # of a page
_FAILED: Final = 400


@dataclass(frozen=True, slots=True)
class CallsQuery:
    """Calls that ended from `from_us` to before `to_us`; `filters` by the names of columns.

    `before`: when the last call of the page before ended, and its id.
    """

    from_us: int
    to_us: int
    filters: Mapping[str, str] = field(default_factory=dict)
    errors: bool = False
    before: tuple[int, int] | None = None
    limit: int = 100


def calls(connection: Connection, wanted: CallsQuery) -> list[Found]:
    """A page, the newest first. O(calls of the period) at worst; those of a namespace by its index."""
    table = CALLS.c
    query = select(CALLS).where(table.at_us >= wanted.from_us, table.at_us < wanted.to_us)
    for name, value in wanted.filters.items():
        query = query.where(has_tag(table.tag, value) if name == "tag" else table[name] == value)
    if wanted.errors:
        query = query.where(or_(table.status >= _FAILED, table.status == 0))
    if wanted.before is not None:
        at_us, call_id = wanted.before
        query = query.where(or_(table.at_us < at_us, and_(table.at_us == at_us, table.call_id < call_id)))
    query = query.order_by(table.at_us.desc(), table.call_id.desc()).limit(max(1, min(wanted.limit, MOST)))
    return [plain(row) for row in connection.execute(query).mappings()]


def call(connection: Connection, call_id: int, namespace: str | None = None) -> tuple[Found, list[Found]] | None:
    """A call of this id (of this namespace) with its attempts in order; None: there is none."""
    query = select(CALLS).where(by_id(connection, CALLS, call_id))
    if namespace is not None:
        query = query.where(CALLS.c.namespace == namespace)
    row = connection.execute(query.order_by(CALLS.c.day.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    its = select(TRIES).where(_of(row)).order_by(TRIES.c.number)
    return plain(row), [plain(one) for one in connection.execute(its).mappings()]


def _of(row: RowMapping) -> ColumnElement[bool]:
    table = TRIES.c
    return and_(table.day == row["day"], table.journal == row["journal"], table.call_id == row["call_id"])


def plain(row: RowMapping) -> Found:
    """A row by the names of its columns."""
    return {str(name): value for name, value in row.items()}
