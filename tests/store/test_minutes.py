"""A search looks only into the minutes that have what is sought: by every filter, however rare and old it is."""

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event, text

from harness.servers.postgres import Postgres
from tests.journal.facts import record
from tests.store.test_write import known, put
from tidegate.model.facts import Try
from tidegate.model.story import MOVED, REFUSED, Step
from tidegate.store import calls
from tidegate.store.engine import is_sqlite, open_engine
from tidegate.store.minutes import Term, minutes
from tidegate.store.upgrade import upgrade
from tidegate.units import DAY_US, MINUTE_US, SECOND_US

_BEGAN = record(1).at_us // DAY_US * DAY_US
_DAYS = 3
_MANY = 600
_FAILED = Try("openai/main/gpt-4o", 1, 2, 429, "rate", 0, 0, 0, 0, 9, False, 0, "0a1b2c3d", 7)
_RARE = replace(
    record(1), at_us=_BEGAN + SECOND_US, tenant="r-team", user="r-user", client="r-key", plan="r-plan", model="r-model",
    target="r-provider/r-scope/r-served", account="0badcafe", tag="a=b, r=tag, c=d", status=206, tries=(_FAILED,),
    duration_us=9 * SECOND_US, queued_us=SECOND_US // 2, waited_us=SECOND_US // 4,
    story=(Step(MOVED, 0, 0), Step(REFUSED, 0, 0, "", "r-reason")),
)  # fmt: skip
_FILTERS: dict[str, dict[str, Any]] = {
    "user": {"filters": {"user": "r-user"}},
    "key": {"filters": {"key": "r-key"}},
    "plan": {"filters": {"plan": "r-plan"}},
    "model": {"filters": {"model": "r-model"}},
    "served": {"filters": {"served": "r-served"}},
    "provider": {"filters": {"provider": "r-provider"}},
    "scope": {"filters": {"scope": "r-scope"}},
    "account": {"filters": {"account": "0badcafe"}},
    "tag": {"filters": {"tag": "r=tag"}},
    "tags": {"filters": {"tag": "a=b, r=tag"}},
    "namespace": {"filters": {"namespace": "r-team"}},
    "namespace and user": {"filters": {"namespace": "r-team", "user": "r-user"}},
    "user and plan": {"filters": {"user": "r-user", "plan": "r-plan"}},
    "status": {"status": (206, 206)},
    "status and user": {"status": (200, 299), "filters": {"user": "r-user"}},
    "slower": {"slower_us": 8 * SECOND_US},
    "waited": {"waited_us": 700_000},
    "moved": {"words": (" moved ",)},
    "refused": {"words": (" refused ",)},
    "reason": {"words": ("r-reason",)},
    "part of a reason": {"words": ("r-reas",)},
    "moved, of a user": {"words": (" moved ",), "filters": {"user": "r-user"}},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Some days of calls that are alike, of which the oldest is another."""
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database("minutes", request.getfixturevalue("ready"))
    engine = open_engine(url, tmp_path_factory.mktemp("minutes"))
    upgrade(engine)
    apart = _DAYS * DAY_US // _MANY
    alike = [replace(record(number), at_us=_BEGAN + number * apart) for number in range(2, _MANY)]
    put(engine, known(engine), _RARE, *alike)
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    yield engine
    engine.dispose()


class Looks(NamedTuple):
    """What was found, by which plans, and how much was done for it in vain."""

    ids: list[int]
    plan: str
    work: int


def look(engine: Engine, wanted: calls.CallsQuery) -> Looks:
    """As the database says itself. Its work: SQLite's instructions, PostgreSQL's rows that did not fit."""
    told: list[str] = []
    kind = "EXPLAIN QUERY PLAN" if is_sqlite(engine) else "EXPLAIN (ANALYZE, TIMING OFF)"

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "FROM calls" in statement or "JOIN calls" in statement:
            cursor.execute(f"{kind} {statement}", parameters)
            told.extend(str(row[-1]) for row in cursor.fetchall())

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        ids = [one["call_id"] for one in calls.calls(connection, wanted)]
    plan = "\n".join(told)
    return Looks(ids, plan, instructions(engine, wanted) if is_sqlite(engine) else rows_removed(plan))


def instructions(engine: Engine, wanted: calls.CallsQuery) -> int:
    """That SQLite carries out for it, in hundreds."""
    done = count()
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: next(done) < 0, 100)
        calls.calls(connection, wanted)
        driver.set_progress_handler(None, 0)
    return next(done)


@pytest.mark.parametrize("name", _FILTERS)
def test_the_oldest_is_found_without_looking_at_all(filled: Engine, name: str) -> None:
    """Its minutes, or an index of those that have what is sought; never the table, never all moments."""
    found = look(filled, calls.CallsQuery(_BEGAN, _BEGAN + _DAYS * DAY_US, limit=50, **_FILTERS[name]))
    assert found.ids == [1]
    assert "ix_calls_" in found.plan or not is_sqlite(filled)
    assert "SCAN calls" not in found.plan
    assert found.work < _MANY // 10


def rows_removed(plan: str) -> int:
    """Rows that were looked at in vain."""
    lines = [line for line in plan.splitlines() if "Rows Removed by Filter:" in line]
    return sum(int(line.rpartition(":")[2]) for line in lines)


def test_nothing_is_looked_into_for_what_is_not_there(filled: Engine) -> None:
    """Not one statement reads calls."""
    asked = calls.CallsQuery(0, 1 << 62, {"user": "nobody", "plan": "chat"})
    assert look(filled, asked)[:2] == ([], "")


def test_pages_go_on_where_they_ended(filled: Engine) -> None:
    """Each call once, the newest first, also where many minutes are looked into at a time."""
    seen: list[int] = []
    before = None
    with filled.connect() as connection:
        while True:
            asked = calls.CallsQuery(0, 1 << 62, {"plan": "chat"}, before=before, limit=77)
            found = calls.calls(connection, asked)
            seen += [one["call_id"] for one in found]
            if len(found) < 77:
                break
            before = found[-1]["at_us"], found[-1]["call_id"]
    assert seen == list(range(_MANY - 1, 1, -1))


def test_minutes_have_all_that_is_sought(filled: Engine) -> None:
    """The newest first, ever more days at a time; within the time that is asked for."""
    first = _BEGAN // MINUTE_US
    with filled.connect() as connection:
        both = list(minutes(connection, [Term("user", "r-user"), Term("tag", "r=tag")], 0, 1 << 62))
        later = list(minutes(connection, [Term("user", "r-user")], _BEGAN + MINUTE_US, 1 << 62))
        some = [len(one) for one in minutes(connection, [Term("plan", "chat")], 0, 1 << 62)]
    assert both == [[], [first]]
    assert [one for few in later for one in few] == []
    assert len(some) == 2
    assert sum(some) == _MANY - 2
