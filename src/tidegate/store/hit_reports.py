"""What the cache answered and saved, from the hourly sums; and of one call what the cache had to do with it.

Hours, days and months are those of `reports`. A line by layer is of that layer's answers, and its rate is of all that
was asked for in the rest of its group.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, func, select

from tidegate.store.calls import Found, plain
from tidegate.store.found import by_id
from tidegate.store.hit_tables import HITS, HOURLY_HITS, NOTES
from tidegate.store.hits import BYPASS, MISS
from tidegate.store.reports import MOST, TIMES, TooMany, hour_from, moment_of
from tidegate.store.tables import CALLS

NAMES: Final = ("namespace", "user", "key", "plan", "provider", "model", "layer")
MOST_SERVED: Final = 20  # calls that are listed of those that one answer served
_LAYER: Final = "layer"


class Saved(NamedTuple):
    """Tokens and money (billionths) are what the answers had cost when they were made."""

    hits: int = 0
    misses: int = 0
    bypassed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nano: int = 0
    charged_hits: int = 0  # their tenants paid all the same
    charged_tokens: int = 0
    charged_nano: int = 0

    @property
    def rate(self) -> float | None:
        """Of what was asked for, what was there; None where nothing was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class Line(NamedTuple):
    """One group, in the order in which the groups were asked for, and its sums."""

    group: tuple[str, ...]
    saved: Saved


@dataclass(frozen=True, slots=True)
class Wanted:
    """The hours that begin from `from_us` to before `to_us`; `filters` by the names of columns."""

    from_us: int
    to_us: int
    by: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC


def report(connection: Connection, wanted: Wanted) -> list[Line]:
    """What saved most first; by time, where that is a group. Raises `TooMany`. O(rows of the period)."""
    found: dict[tuple[str, ...], Saved] = {}
    asked: dict[tuple[str, ...], Saved] = {}  # by the groups without their layer
    layered = _LAYER in wanted.by
    at = list(wanted.by).index(_LAYER) if layered else len(wanted.by)
    for group, layer, saved in _rows(connection, wanted):
        rest = group[:at] + group[at + 1 :]
        asked[rest] = _sum(asked.get(rest), saved)
        if not (layered and layer in {MISS, BYPASS}):
            found[group] = _sum(found.get(group), saved)
        if len(found) > MOST:
            raise TooMany(f"more than {MOST:,} lines")
    if layered:
        for group, saved in found.items():
            of = asked[group[:at] + group[at + 1 :]]
            found[group] = saved._replace(misses=of.misses + of.hits - saved.hits, bypassed=of.bypassed)
    times = [place for place, name in enumerate(wanted.by) if name in TIMES]
    lines = [Line(group, saved) for group, saved in found.items()]
    return sorted(lines, key=lambda line: ([line.group[at] for at in times], -line.saved.cost_nano, line.group))


def total(connection: Connection, wanted: Wanted) -> Saved:
    """One sum of all."""
    lines = report(connection, Wanted(wanted.from_us, wanted.to_us, (), wanted.filters))
    return lines[0].saved if lines else Saved()


def hit(connection: Connection, call_id: int, namespace: str | None = None) -> Found | None:
    """The call of this id (of this namespace) that the cache answered."""
    query = select(HITS).where(by_id(connection, HITS, call_id))
    if namespace is not None:
        query = query.where(HITS.c.namespace == namespace)
    row = connection.execute(query.order_by(HITS.c.day.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else plain(row)


def asked(connection: Connection, call_id: int, namespace: str | None = None) -> Found | None:
    """The call of this id (of this namespace) that was made, with what became of its answer: `word` and `answer`."""
    query = select(CALLS).where(by_id(connection, CALLS, call_id))
    if namespace is not None:
        query = query.where(CALLS.c.namespace == namespace)
    row = connection.execute(query.order_by(CALLS.c.day.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    note = select(NOTES.c.word, NOTES.c.answer).where(by_id(connection, NOTES, call_id))
    kept = connection.execute(note.order_by(NOTES.c.day.desc()).limit(1)).one_or_none()
    return {**plain(row), "word": kept.word if kept else "", "answer": kept.answer if kept else ""}


def served(connection: Connection, source: int, namespace: str | None = None) -> tuple[int, list[Found]]:
    """How many calls (of this namespace) were answered with what this one was told, and the newest. By its index."""
    its = HITS.c.source == source
    if namespace is not None:
        its = and_(its, HITS.c.namespace == namespace)
    count = connection.scalar(select(func.count()).select_from(HITS).where(its)) or 0
    newest = select(HITS).where(its).order_by(HITS.c.at_us.desc(), HITS.c.call_id.desc()).limit(MOST_SERVED)
    return int(count), [plain(row) for row in connection.execute(newest).mappings()]


def _rows(connection: Connection, wanted: Wanted) -> Iterator[tuple[tuple[str, ...], str, Saved]]:
    timed = any(name in TIMES for name in wanted.by)
    names = [name for name in wanted.by if name in NAMES]
    columns = [HOURLY_HITS.c[name] for name in names]
    columns += [HOURLY_HITS.c.hour] if timed else []
    counts = ("calls", *Saved._fields[3:6], "charged_calls", "charged_tokens", "charged_nano")
    sums = [func.coalesce(func.sum(HOURLY_HITS.c[name]), 0) for name in counts]
    layer = HOURLY_HITS.c.layer
    query = select(*columns, layer.label("of_layer"), *sums).where(HOURLY_HITS.c.hour >= hour_from(wanted.from_us))
    query = query.where(HOURLY_HITS.c.hour < hour_from(wanted.to_us)).group_by(*columns, layer)
    for name, value in wanted.filters.items():
        query = query.where(HOURLY_HITS.c[name] == value)
    for row in connection.execute(query):
        named = iter(row[: len(names)])
        hour = row[len(names)] if timed else 0
        group = tuple([moment_of(hour, name, wanted.zone) if name in TIMES else next(named) for name in wanted.by])
        calls, *rest = (int(count) for count in row[len(columns) + 1 :])
        word = row[len(columns)]
        yield group, word, _saved(word, calls, rest)


def _saved(layer: str, calls: int, rest: Sequence[int]) -> Saved:
    if layer == MISS:
        return Saved(misses=calls)
    return Saved(bypassed=calls) if layer == BYPASS else Saved(calls, 0, 0, *rest)


def _sum(before: Saved | None, saved: Saved) -> Saved:
    return saved if before is None else Saved(*map(int.__add__, before, saved))
