"""One call among ten million: how soon it is found, what it takes on disk, and that old days go.

The rows are those of `store/tables.py`, of ten days and twenty namespaces, with what befalls calls as often as on a bad
day; they are loaded without the indexes of `calls`, which are made at the end, as a restored database is.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, func, select, text

from bench.figures import at_most, exactly, median, told
from bench.proofs.steps import Context, Row
from harness.servers.postgres import Postgres
from tidegate.model.story import ASKED, MOVED, QUEUED, Step
from tidegate.store import calls, partitions, stories, tail
from tidegate.store.calls import CallsQuery
from tidegate.store.engine import is_sqlite, open_engine, writing
from tidegate.store.postings import Postings
from tidegate.store.statements import add_new, insertion
from tidegate.store.tables import ATTEMPTS, CALLS, JOURNALS, POSTINGS
from tidegate.store.upgrade import upgrade
from tidegate.units import DAY_US

_MANY: Final = 10_000_000
_FEW: Final = 300_000
_DAYS: Final = 10
_FIRST: Final = 20_000  # the day on which they begin
_LIMIT_MS: Final = {"sqlite": 1_000.0, "postgresql": 200.0}
_BATCH: Final = 50_000
_TEMPLATES: Final = 4_096
_ROUNDS: Final = 12
_SECOND: Final = 1_000_000
_STORY: Final = (
    Step(QUEUED, 0, 1_400_000, "openai/main/gpt-4o", "turn", (("pool", "main"), ("ahead", 4), ("waiting", 9))),
    Step(ASKED, 1_400_000, 90_000, "openai/main/gpt-4o", "rate", (("try", 1), ("status", 429))),
    Step(MOVED, 1_490_000, 0, "azure/gpt-4o", "rate", (("from", "openai/gpt-4o"),)),
    Step(ASKED, 1_491_000, 2_100_000, "azure/main/gpt-4o", "", (("try", 2), ("status", 200))),
)  # fmt: skip
_HEADERS: Final = "retry-after: 2\nx-ratelimit-remaining-tokens: 0\nx-request-id: 0123456789abcdef0123456789abcdef"


class Made(NamedTuple):
    """The part of a row that many share, before the trace and after the request's id; whether something befell it."""

    before: tuple[Any, ...]
    after: tuple[Any, ...]
    told: bool


def finding(context: Context, row: Row) -> None:
    """In SQLite and in PostgreSQL."""
    count = _FEW if context.quick else _MANY
    row.commands.append(f"{count:,} calls of {_DAYS} days loaded, then looked for as `tidegate calls` does")
    folder = context.work / "finding"
    folder.mkdir(parents=True, exist_ok=True)
    _database(row, open_engine("", folder), count, lambda _: sum(_sizes(folder)))
    (folder / "tidegate.db").unlink()
    server = Postgres()
    try:
        _database(row, open_engine(server.database("finding"), Path()), count, _relations)
    finally:
        server.close()


def _sizes(folder: Path) -> Iterator[int]:
    return (path.stat().st_size for path in folder.glob("tidegate.db*"))


def _relations(engine: Engine) -> int:
    names = "('calls', 'attempts', 'stories', 'postings')"
    total = "SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent"
    with engine.connect() as connection:
        return int(connection.scalar(text(f"{total} WHERE p.relname IN {names} AND p.relkind = 'p'")) or 0)


def _database(row: Row, engine: Engine, count: int, size: Callable[[Engine], int]) -> None:
    name = "SQLite" if is_sqlite(engine) else "PostgreSQL"
    upgrade(engine)
    began = time.monotonic()
    load(engine, count)
    row.figures.append(told(f"{name}: {count:,} calls loaded", f"{time.monotonic() - began:.0f} s"))
    row.figures.append(told(f"{name}: on disk", f"{size(engine) / count:.0f} B a call", "attempts, stories, indexes"))
    limit = _LIMIT_MS[engine.dialect.name]
    for how, asked in (("rare and old", _RARE), ("common", _COMMON)):
        worst, which = max((max(_timed(engine, _all_days(more))[0]), what) for what, more in asked.items())
        note = f"the slowest of {len(asked)}: {which}"
        row.figures.append(at_most(f"{name}: by a filter, {how}, all days", worst, limit, "ms", note))
        missed = [what for what, more in asked.items() if not _timed(engine, _all_days(more))[1]]
        row.figures.append(exactly(f"{name}: filters, {how}, that found nothing", len(missed), 0, ", ".join(missed)))
    for what, look in _looks(count).items():
        times, found = _timed(engine, look)
        note = f"median {median(times):.1f} ms of {len(times)}, {found} found"
        row.figures.append(at_most(f"{name}: {what}", max(times), limit, "ms", note))
    _retention(row, engine, name, count)
    engine.dispose()


def _retention(row: Row, engine: Engine, name: str, count: int) -> None:
    began = time.monotonic()
    partitions.drop_before(engine, _FIRST + 1)
    seconds = time.monotonic() - began
    with engine.connect() as connection:
        left = connection.scalar(select(func.count()).select_from(CALLS).where(CALLS.c.day <= _FIRST))
        rest = connection.scalar(select(func.count()).select_from(CALLS))
        stale = connection.scalar(
            select(func.count()).select_from(stories.STORIES).where(stories.STORIES.c.day <= _FIRST)
        )
    row.figures += [
        exactly(f"{name}: rows of a day past its time", (left or 0) + (stale or 0), 0, f"{seconds:.1f} s"),
        exactly(f"{name}: calls of the other days", rest or 0, count - count // _DAYS),
    ]  # fmt: skip


# ── what is looked for ───────────────────────────────────────────────────────────────────────────────────────────────

Look = Callable[[Connection, random.Random], int]


def _one(field: str, value: str, **more: Any) -> dict[str, Any]:
    return {"filters": {field: value}, **more}


# What only the oldest call of all has, and what many have.
_RARE: Final[dict[str, dict[str, Any]]] = {
    **{name: _one(name, f"rare-{name}") for name in ("user", "key", "plan", "model", "provider", "scope", "served")},
    "tag": _one("tag", "rare=tag"),
    "account": _one("account", "0badcafe"),
    "user of a namespace": {"filters": {"namespace": "team-1", "user": "rare-user"}},
    "key and plan": {"filters": {"key": "rare-key", "plan": "rare-plan"}},
    "failed, of a user": _one("user", "rare-user", status=(429, 429)),
    "status": {"status": (418, 499), "filters": {"plan": "rare-plan"}},
    "reason": {"words": ("rare-reason",)},
    "fell back, of a user": _one("user", "rare-user", words=(" moved ",)),
    "slower, of a user": _one("user", "rare-user", slower_us=5 * _SECOND),
    "waited, of a user": _one("user", "rare-user", waited_us=_SECOND // 2),
}
_COMMON: Final[dict[str, dict[str, Any]]] = {
    "user": _one("user", "user-7"),
    "key": _one("key", "team-3-app"),
    "plan": _one("plan", "smart"),
    "provider": _one("provider", "azure"),
    "scope": _one("scope", "main"),
    "served": _one("served", "gpt-4o"),
    "tag": _one("tag", ""),
    "status 200": {"status": (200, 200)},
    "failed, of a plan": _one("plan", "smart", errors=True),
    "user and provider": {"filters": {"user": "user-7", "provider": "openai"}},
    "slower than 8 s": {"slower_us": 8 * _SECOND},
    "waited 0.5 s": {"waited_us": _SECOND // 2},
    "fell back, of a key": _one("key", "team-3-app", words=(" moved ",)),
}


def _all_days(asked: dict[str, Any]) -> Look:
    def look(connection: Connection, _: random.Random) -> int:
        wanted = CallsQuery(_FIRST * DAY_US, (_FIRST + _DAYS) * DAY_US, limit=50, **asked)
        return len(calls.calls(connection, wanted))

    return look


def _looks(count: int) -> dict[str, Look]:
    """Each returns how many it found."""

    def page(days: int, **asked: Any) -> Look:
        def look(connection: Connection, luck: random.Random) -> int:
            end = (_FIRST + luck.randrange(days, _DAYS + 1)) * DAY_US
            given = {name: value(luck) if callable(value) else value for name, value in asked.items()}
            return len(calls.calls(connection, CallsQuery(end - days * DAY_US, end, limit=50, **given)))

        return look

    def by_id(connection: Connection, luck: random.Random) -> int:
        return int(calls.call(connection, id_of(luck.randrange(count), count)) is not None)

    def named(column: str) -> Look:
        def look(connection: Connection, luck: random.Random) -> int:
            value = _trace(luck.randrange(0, count, 5))
            asked = CallsQuery(0, 1 << 62, {column: value if column == "trace_id" else value[:16]}, limit=50)
            return len(calls.calls(connection, asked))

        return look

    def follow(connection: Connection, _: random.Random) -> int:
        cursor = tail.Cursor(
            (_FIRST + _DAYS) * DAY_US - 5 * _SECOND, {1: tail.Mark(0, (_FIRST + _DAYS) * DAY_US - 5 * _SECOND, 0)}
        )
        return len(tail.after(connection, cursor, CallsQuery(0, 1 << 62, limit=100)).calls)

    space: Any = lambda luck: {"namespace": f"team-{luck.randrange(20)}"}  # noqa: E731 - drawn anew each time
    rare: Any = {"namespace": "team-rare"}
    return {
        "one call by its id, with attempts and story": by_id,
        "by its trace": named("trace_id"),
        "by its client's request id": named("request_id"),
        "failed, of a namespace, a day": page(1, errors=True, filters=space),
        "failed with 503, of a rare namespace, all days": page(_DAYS, status=(503, 503), filters=rare),
        "slower than 30 s, a day": page(1, slower_us=30 * _SECOND),
        "slower than 10 min (there is none), all days": page(_DAYS, slower_us=600 * _SECOND),
        "waited longer than 1 s, of a namespace, a day": page(1, waited_us=_SECOND, filters=space),
        "fell back, a day": page(1, words=(" moved ",)),
        "a reason that there is not, a day": page(1, words=("nowhere",)),
        "of a namespace, all days": page(_DAYS, filters=space),
        "the newest, all days": page(_DAYS),
        "followed: the calls of the last 5 s": follow,
    }


def _timed(engine: Engine, look: Look) -> tuple[list[float], int]:
    """Milliseconds of each round, and how many calls were found by all."""
    luck, times, found = random.Random(8), [], 0
    for _ in range(_ROUNDS):
        with engine.connect() as connection:
            began = time.perf_counter()
            found += look(connection, luck)
            times.append(1_000 * (time.perf_counter() - began))
    return times, found


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def id_of(number: int, count: int, first_day: int = _FIRST) -> int:
    """Ids count microseconds, as a worker's do."""
    return _at(number, count, first_day) - 3 * _SECOND


def _at(number: int, count: int, first_day: int) -> int:
    return first_day * DAY_US + number * (_DAYS * DAY_US // count)


def _trace(number: int) -> str:
    return f"{number * 0x9E37_79B9_7F4A_7C15 % (1 << 128):032x}"


def _templates() -> list[Made]:
    luck = random.Random(7)
    return [_template(luck, known=number == 0) for number in range(_TEMPLATES)]


def _template(luck: random.Random, *, known: bool) -> Made:
    """As calls are: 1 % failed, 3 % fell back, 4 % took more than 10 s, 2 % waited more than a second.

    `known`: the one that a search for failures of the rare namespace finds.
    """
    space, failed, moved = luck.randrange(20), luck.random() < 0.01 or known, luck.random() < 0.03
    rare = luck.random() < 0.001 or known
    queued = luck.randrange(1_000_000, 4_000_000) if luck.random() < 0.02 else 0
    duration = luck.randrange(10_000_000, 90_000_000) if luck.random() < 0.04 else luck.randrange(300_000, 9_000_000)
    status = 503 if known else luck.choice((429, 500, 503)) if failed else 200
    namespace = "team-rare" if rare else f"team-{space}"
    before = (
        namespace, f"user-{luck.randrange(200)}", f"{namespace}-app", "paid", "smart", "smart",
        "" if failed else "azure" if moved else "openai", "" if failed else "main", "" if failed else "gpt-4o", "", "",
        status, 2 if moved else 1, 1, 0, queued, 0, duration // 3, duration,
        luck.randrange(50, 4_000), luck.randrange(1, 900), 0, 0, luck.randrange(50, 5_000), luck.randrange(10**7),
        "", "",
    )  # fmt: skip
    why = "rate moved" if moved else "refused over_quota" if failed else ""
    after = (f"{luck.randrange(8):08x}", 350, duration // 3, 1_800, 2_400, 0, 0, why, luck.randrange(50, 5_000))
    return Made(before, after, moved)


def _oldest() -> Made:
    """Which alone has what is sought by `_RARE`."""
    before = (
        "team-1", "rare-user", "rare-key", "paid", "rare-plan", "rare-model", "rare-provider", "rare-scope",
        "rare-served", "run=7, rare=tag", "", 429, 2, 1, 0, _SECOND, 0, _SECOND, 9 * _SECOND, 50, 50, 0, 0, 50, 50,
        "", "",
    )  # fmt: skip
    return Made(before, ("0badcafe", 350, _SECOND, 1_800, 2_400, 0, 0, "rare-reason moved", 50), told=True)


def _row(number: int, count: int, made: Made, first_day: int) -> tuple[Any, ...]:
    at = _at(number, count, first_day)
    trace = _trace(number) if number % 5 == 0 else ""
    return (at // DAY_US, 1, at - 3 * _SECOND, at, *made.before, trace, trace[:16], *made.after)


def _postings(rows: list[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Of these rows of `calls`, as the store gathers them of their records."""
    gathered = Postings()
    for row in rows:
        call = dict(zip(CALLS.columns.keys(), row, strict=True))
        minute = gathered.minute(call["at_us"])
        waited = call["queued_us"] + call["waited_us"]
        minute.add(row[4:15], call["account"], call["status"], call["duration_us"], waited)
        if call["why"]:
            minute.words.add(call["why"])
    return gathered.rows()


def _attempts(call: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    day, journal, call_id, at = call[:4]
    for number, (provider, status, reason, headers) in enumerate(
        (("openai", 429, "rate", _HEADERS), ("azure", 200, "", "")), 1
    ):
        yield (day, journal, call_id, number, at - 3_000_000, 90_000, provider, "main", "gpt-4o", status, reason, 0,
               0, 0, 0, 0, 500, 0, "0a1b2c3d", headers, 80_000, 500)  # fmt: skip


# ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(engine: Engine, count: int, first_day: int = _FIRST) -> None:
    """So many calls of ten days from this one on, into empty tables."""
    made, oldest, story = _templates(), _oldest(), stories.pack(_STORY)
    sqlite = is_sqlite(engine)
    with engine.connect() as connection:
        indexes = [index for index in CALLS.indexes if index.name is not None]
        for index in indexes:
            index.drop(connection)
        connection.execute(JOURNALS.insert().values(id=1, identity="f" * 32, name="main", taken_calls=count))
        if not sqlite:
            partitions.ensure(connection, range(first_day, first_day + _DAYS))
        connection.commit()
    for first in range(0, count, _BATCH):
        rows = [
            _row(number, count, made[number * 31 % _TEMPLATES] if number else oldest, first_day)
            for number in range(first, min(first + _BATCH, count))
        ]
        befallen = [row for number, row in enumerate(rows, first) if made[number * 31 % _TEMPLATES].told]
        with writing(engine) as connection:
            put = _insert if sqlite else _copy
            put(connection, CALLS, rows)
            put(connection, ATTEMPTS, [one for row in befallen for one in _attempts(row)])
            put(connection, stories.STORIES, [(*row[:3], story) for row in befallen])
            add_new(connection, POSTINGS, _postings(rows))
    with writing(engine) as connection:
        for index in indexes:
            index.create(connection)
    if not sqlite:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _insert(connection: Connection, table: Any, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(insertion(table, "sqlite"), rows)


def _copy(connection: Connection, table: Any, rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write("\t".join(map(_text, row)) + "\n")


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).replace("\n", "\\n")
