"""What was used and what it cost, from the hourly sums: filtered, grouped, and by hour, day or month of a time zone.

An hour belongs to the period in which it begins; where a zone is half an hour off, so are its days' edges. No hour
counts twice, whatever periods follow each other. A call with several tags counts under each of them, so lines by tag
may add up to more than there was. Money was fixed when each call ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, func, literal, select

from tidegate.store.tables import HOURLY
from tidegate.units import HOUR_US

NAMES: Final = ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag")
TIMES: Final = ("hour", "day", "month")
GROUPS: Final = (*NAMES, *TIMES)
MOST: Final = 10_000
_FORMS: Final = {"hour": "%Y-%m-%dT%H:%M%z", "day": "%Y-%m-%d", "month": "%Y-%m"}
_HOUR_SECONDS: Final = 3_600
_SEPARATOR: Final = ", "  # between a call's tags


class TooMany(ValueError):
    """More than `MOST` lines: ask for less at once."""


class Sums(NamedTuple):
    """Tokens are as billed, but `charged_tokens` of providers' limiters and `reserved_tokens`; money in billionths."""

    calls: int = 0
    errors: int = 0
    attempts: int = 0
    estimated_attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    charged_tokens: int = 0
    reserved_tokens: int = 0  # before attempts left; known under no tag
    cost_nano: int = 0


class Line(NamedTuple):
    """One group, in the order in which the groups were asked for, and its sums."""

    group: tuple[str, ...]
    sums: Sums


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """The hours that begin from `from_us` to before `to_us`.

    `filters` are by the names of columns, `tag` is any one of a call's.
    """

    from_us: int
    to_us: int
    by: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC


def report(connection: Connection, wanted: ReportQuery) -> list[Line]:
    """By cost, the dearest first; by time, where that is a group. Raises `TooMany`. O(rows of the period)."""
    found: dict[tuple[str, ...], Sums] = {}
    for group, sums in _rows(connection, wanted):
        known = found.get(group)
        found[group] = sums if known is None else Sums(*map(int.__add__, known, sums))
        if len(found) > MOST:
            raise TooMany(f"more than {MOST:,} lines")
    return ordered([Line(group, sums) for group, sums in found.items()], wanted.by)


def ordered(lines: Sequence[Line], by: Sequence[str]) -> list[Line]:
    """By time, where that is a group, then by cost, the dearest first."""
    times = [at for at, name in enumerate(by) if name in TIMES]
    return sorted(lines, key=lambda line: ([line.group[at] for at in times], -line.sums.cost_nano, line.group))


def total(connection: Connection, wanted: ReportQuery) -> Sums:
    """One sum of all."""
    lines = report(connection, ReportQuery(wanted.from_us, wanted.to_us, (), wanted.filters))
    return lines[0].sums if lines else Sums()


def hour_from(at_us: int) -> int:
    """The first hour since 1970 that begins at this moment or later."""
    return -(-at_us // HOUR_US)


def first_us(connection: Connection, filters: Mapping[str, str]) -> int:
    """When the first hour with these began; 0 = there is none."""
    hour = connection.execute(_filtered(select(func.min(HOURLY.c.hour)), filters)).scalar()
    return 0 if hour is None else int(hour) * HOUR_US


def costs(connection: Connection, from_us: int, to_us: int, filters: Mapping[str, str]) -> dict[int, int]:
    """What each hour since 1970 that begins in this time cost, where anything was used."""
    query = select(HOURLY.c.hour, func.sum(HOURLY.c.cost_nano)).group_by(HOURLY.c.hour)
    query = query.where(HOURLY.c.hour >= hour_from(from_us), HOURLY.c.hour < hour_from(to_us))
    return {int(hour): int(cost) for hour, cost in connection.execute(_filtered(query, filters))}


def _rows(connection: Connection, wanted: ReportQuery) -> Iterator[tuple[tuple[str, ...], Sums]]:
    timed = any(name in TIMES for name in wanted.by)
    columns: list[Column[Any]] = [HOURLY.c[name] for name in wanted.by if name in NAMES]
    if timed:
        columns.append(HOURLY.c.hour)
    counts = [func.coalesce(func.sum(HOURLY.c[name]), 0) for name in Sums._fields]
    query = select(*columns, *counts).where(HOURLY.c.hour >= hour_from(wanted.from_us))
    query = _filtered(query.where(HOURLY.c.hour < hour_from(wanted.to_us)), wanted.filters)
    if columns:
        query = query.group_by(*columns)
    tagged = wanted.by.index("tag") if "tag" in wanted.by else -1
    for row in connection.execute(query):
        named = iter(row[: len(columns)])
        hour = row[len(columns) - 1] if timed else 0
        group = tuple([moment_of(hour, name, wanted.zone) if name in TIMES else next(named) for name in wanted.by])
        sums = Sums(*(int(count) for count in row[len(columns) :]))
        for one in _each_tag(group, tagged, wanted.filters.get("tag")):
            yield one, sums


def _each_tag(group: tuple[str, ...], at: int, only: str | None) -> Iterator[tuple[str, ...]]:
    """The group, once for each of the tags that stand in it."""
    if at < 0:
        yield group
        return
    for tag in dict.fromkeys(group[at].split(_SEPARATOR)):
        if only is None or tag == only:
            yield (*group[:at], tag, *group[at + 1 :])


def _filtered(query: Select[Any], filters: Mapping[str, str]) -> Select[Any]:
    for name, value in filters.items():
        query = query.where(has_tag(HOURLY.c.tag, value) if name == "tag" else HOURLY.c[name] == value)
    return query


def has_tag(column: ColumnElement[str], tag: str) -> ColumnElement[bool]:
    """It is one of those that stand in the column; "" = there is none."""
    if not tag:
        return column == ""
    listed = literal(_SEPARATOR) + column + literal(_SEPARATOR)
    # Not LIKE, to which small letters are the same as great ones in SQLite.
    return func.replace(listed, f"{_SEPARATOR}{tag}{_SEPARATOR}", "") != listed


def moment_of(hour: int, unit: str, zone: tzinfo) -> str:
    """The hour, day or month (`TIMES`) in which an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * _HOUR_SECONDS, UTC).astimezone(zone).strftime(_FORMS[unit])
