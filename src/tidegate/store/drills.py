"""Drills' proofs: what each run found out of each target, and what that comes to now."""

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select

from tidegate.model.drills import FAILED, PASSED, Latest
from tidegate.store.drill_tables import RUNS

KEEP_US: Final = 400 * 86_400_000_000
MOST: Final = 20_000  # rows
_WHY: Final = 1_024
_DETAIL: Final = 32_768


class Run(NamedTuple):
    """One target in one run. `detail`: its answers, JSON."""

    at_us: int
    drill: str
    strategy: str
    target: str
    state: str
    permille: int
    until_us: int
    asked: int
    tokens: int
    cost_nano: int
    why: str
    detail: str
    digest: str
    cause: str  # schedule | demand
    id: int = 0


def write(connection: Connection, runs: Iterable[Run]) -> None:
    """Add them."""
    rows = [one._asdict() | {"why": one.why[:_WHY], "detail": bounded(one.detail)} for one in runs]
    for row in rows:
        del row["id"]
    if rows:
        connection.execute(insert(RUNS), rows)


def bounded(detail: str) -> str:
    """A list as JSON that is too long, without its last items."""
    if len(detail) <= _DETAIL:
        return detail
    items, kept, size = json.loads(detail), [], 2
    for item in items:
        size += len(json.dumps(item, ensure_ascii=False)) + 2
        if size > _DETAIL:
            break
        kept.append(item)
    return json.dumps(kept, ensure_ascii=False)


def latest(connection: Connection) -> list[Latest]:
    """Of each target that was ever asked. O(rows) by an index.

    A pass is one of what was asked, and of whom: where the last run was of something else, it holds no more.
    """
    runs = _newest(connection, [])
    told = {(one.drill, one.strategy, one.target): one for one in _newest(connection, [PASSED, FAILED])}
    return [_latest(one, told.get((one.drill, one.strategy, one.target))) for one in runs]


def _newest(connection: Connection, states: list[str]) -> "list[Row[tuple[object, ...]]]":
    whole = RUNS.c.drill, RUNS.c.strategy, RUNS.c.target
    newest = select(func.max(RUNS.c.id)).group_by(*whole)
    if states:
        newest = newest.where(RUNS.c.state.in_(states))
    found = select(RUNS).where(RUNS.c.id.in_(newest)).order_by(*whole)
    return list(connection.execute(found).all())


def _latest(run: "Row[tuple[object, ...]]", told: "Row[tuple[object, ...]] | None") -> Latest:
    last = told if told is not None else run
    holds = told is not None and told.digest == run.digest
    return Latest(
        drill=run.drill,
        strategy=run.strategy,
        target=run.target,
        at_us=run.at_us,
        state="" if told is None else told.state,
        until_us=last.until_us if holds else 0,
        permille=last.permille,
        why=last.why if last.why == run.why or not run.why else f"{last.why}; then: {run.why}".lstrip("; "),
        digest=run.digest,
        last=run.state,
    )


def history(
    connection: Connection, drill: str, strategy: str = "", target: str = "", before: int = 0, limit: int = 100
) -> list[Run]:
    """The newest first; of one strategy or target, where they are named, and older than `before`, a row's id."""
    found = select(RUNS).where(RUNS.c.drill == drill)
    for column, value in ((RUNS.c.strategy, strategy), (RUNS.c.target, target)):
        if value:
            found = found.where(column == value)
    if before:
        found = found.where(RUNS.c.id < before)
    rows = connection.execute(found.order_by(RUNS.c.id.desc()).limit(limit)).mappings()
    return [Run(**dict(row)) for row in rows]


def forget(connection: Connection, wall: int) -> int:
    """Rows that are too old or too many; what is the newest of its target may go too, when nobody asks it any more."""
    least = select(func.coalesce(func.max(RUNS.c.id), 0) - MOST).scalar_subquery()
    return connection.execute(delete(RUNS).where((RUNS.c.at_us < wall - KEEP_US) | (RUNS.c.id <= least))).rowcount
