"""The schema, and the ways to it."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, select, text

import tidegate.store.alert_tables
import tidegate.store.bodies
import tidegate.store.drains
import tidegate.store.drill_tables
import tidegate.store.hit_tables
import tidegate.store.identity_tables
import tidegate.store.lane_tables
import tidegate.store.news_tables
import tidegate.store.policy_tables
import tidegate.store.session_tables
import tidegate.store.shadow_tables  # noqa: F401 - each declares its own
from tidegate.store import partitions
from tidegate.store.engine import BadDatabase, is_sqlite, open_engine, shown, writing
from tidegate.store.hit_tables import HITS
from tidegate.store.metadata import METADATA
from tidegate.store.postings import Postings
from tidegate.store.tables import ATTEMPTS, CALLS, POSTINGS, TRIES
from tidegate.store.upgrade import NewerSchema, upgrade
from tidegate.units import DAY_US


def test_revisions_end_at_what_is_declared(bare: Engine) -> None:
    """On either database: nothing is missing, nothing is left over; again is nothing."""
    before, now = upgrade(bare)
    assert before == ""
    assert upgrade(bare) == (now, now)
    with bare.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    """Also in a directory that others may look into: the keys' signing keys stand there. SQLite would make it 0644."""
    engine = open_engine("", tmp_path)
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    engine.dispose()
    assert modes == {"tidegate.db": 0o600, "tidegate.db-wal": 0o600, "tidegate.db-shm": 0o600}


def test_a_newer_schema_is_left_alone(engine: Engine) -> None:
    """An old version does not write into what it does not know."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match="9999"):
        upgrade(engine)


def test_attempts_of_an_older_schema_are_kept(bare: Engine) -> None:
    """Each is one still, where its call has a new row of its own or not; on PostgreSQL its day can be dropped."""
    upgrade(bare, "0002")
    call = {"day": 7, "journal": 1, "at_us": 7 * DAY_US + 5, "tier": "paid", "plan": "p", "namespace": "n", "user": "u"}
    call |= {"key": "k", "model": "p", "provider": "a", "scope": "b", "tag": "", "degraded": "", "status": 200}
    call |= {"attempts": 1, "streamed": True, "estimated": False, "duration_us": 9, "served": "c"}
    tried = {name: call[name] for name in ("day", "journal", "at_us", "provider", "scope", "status", "estimated")}
    tried |= {"number": 1, "model": "c", "reason": "", "duration_us": 9, "prompt_tokens": 11}
    with writing(bare) as connection:
        if not is_sqlite(bare):
            for table in ("calls", "tries"):
                name = partitions.partition(table, 7)
                connection.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM (7) TO (8)"))
        connection.execute(insert(CALLS).values(call_id=1, prompt_tokens=11, **call))
        connection.execute(insert(TRIES).values(call_id=1, **tried))
    assert upgrade(bare)[0] == "0002"
    with writing(bare) as connection:
        connection.execute(insert(CALLS).values(call_id=2, prompt_tokens=12, **call))
        found = connection.execute(select(TRIES.c.call_id, TRIES.c.prompt_tokens).order_by(TRIES.c.call_id)).all()
        assert [tuple(row) for row in found] == [(1, 11), (2, 12)]
    assert partitions.drop_before(bare, 8) == (3 + 12 if is_sqlite(bare) else 3)  # and postings
    with bare.connect() as connection:
        assert connection.execute(select(TRIES.c.call_id)).all() == []


def test_calls_of_before_have_nothing_reserved(bare: Engine) -> None:
    """It was not written down then: 0, in their attempts too; what comes now has it, whoever tells the attempt."""
    upgrade(bare, "0015")
    call = {"day": 7, "journal": 1, "at_us": 7 * DAY_US + 5, "tier": "paid", "plan": "p", "namespace": "n", "user": "u"}
    call |= {"key": "k", "model": "p", "provider": "a", "scope": "b", "tag": "", "degraded": "", "status": 200}
    call |= {"attempts": 1, "streamed": True, "estimated": False, "duration_us": 9, "served": "c"}
    tried = {name: call[name] for name in ("day", "journal", "at_us", "provider", "scope", "status", "estimated")}
    tried |= {"model": "c", "reason": "", "duration_us": 9}
    with writing(bare) as connection:
        if not is_sqlite(bare):
            partitions.ensure(connection, [7], (CALLS, ATTEMPTS))
        connection.execute(insert(CALLS).values(call_id=1, **call))
        connection.execute(insert(CALLS).values(call_id=2, **call))
        connection.execute(insert(ATTEMPTS).values(call_id=2, number=1, **tried))
    upgrade(bare)
    with writing(bare) as connection:
        connection.execute(insert(CALLS).values(call_id=3, reserved_tokens=30, **call))
        connection.execute(insert(CALLS).values(call_id=4, reserved_tokens=50, **call))
        connection.execute(insert(ATTEMPTS).values(call_id=4, number=1, reserved_tokens=40, **tried))
        connection.execute(insert(ATTEMPTS).values(call_id=4, number=2, reserved_tokens=10, **tried))
        found = connection.execute(select(TRIES.c.call_id, TRIES.c.reserved_tokens)).all()
    assert sorted(map(tuple, found)) == [(1, 0), (2, 0), (3, 30), (4, 10), (4, 40)]


def test_hits_of_before_tell_what_was_written_of_them(bare: Engine) -> None:
    """They are found by their ids; nobody wrote down then who else knows them, nor for how long they took."""
    upgrade(bare, "0016")
    hit = {"day": 7, "journal": 1, "at_us": 7 * DAY_US + 5, "namespace": "n", "user": "u", "key": "k", "tag": ""}
    hit |= {"plan": "p", "provider": "a", "model": "c", "layer": "exact", "source": 4, "similarity_permille": 1_000}
    with writing(bare) as connection:
        if not is_sqlite(bare):
            partitions.ensure(connection, [7], (HITS,))
        connection.execute(insert(HITS).values(call_id=1, charged=False, **hit))
    upgrade(bare)
    with writing(bare) as connection:
        connection.execute(insert(HITS).values(call_id=2, charged=False, trace_id="t", duration_us=9, **hit))
        columns = ("call_id", "asked", "tier", "trace_id", "request_id", "streamed", "read_us", "duration_us")
        found = connection.execute(select(*(HITS.c[name] for name in columns)).order_by(HITS.c.call_id)).all()
    assert [tuple(row) for row in found] == [(1, "", "", "", "", False, 0, 0), (2, "", "", "t", "", False, 0, 9)]


def test_calls_of_before_are_found_by_all_that_they_have(bare: Engine) -> None:
    """In the same minutes, as if they came now."""
    upgrade(bare, "0017")
    call = {"day": 7, "journal": 1, "at_us": 7 * DAY_US + 5, "tier": "paid", "plan": "p", "namespace": "n", "user": "u"}
    call |= {"key": "k", "model": "m", "provider": "a", "scope": "b", "tag": "x=1, y", "degraded": "", "status": 503}
    call |= {"attempts": 1, "streamed": True, "estimated": False, "duration_us": 9, "served": "c", "account": "0a1b"}
    with writing(bare) as connection:
        if not is_sqlite(bare):
            partitions.ensure(connection, [7], (CALLS, ATTEMPTS))
        connection.execute(insert(CALLS).values(call_id=1, why="rate moved", queued_us=3, **call))
    upgrade(bare)
    gathered = Postings()
    minute = gathered.minute(7 * DAY_US + 5)
    minute.add(("n", "u", "k", "paid", "p", "m", "a", "b", "c", "x=1, y", ""), "0a1b", 503, 9, 3)
    minute.words.add("rate moved")
    with bare.connect() as connection:
        assert sorted(map(tuple, connection.execute(select(POSTINGS)))) == gathered.rows()


def test_a_failed_upgrade_leaves_nothing(bare: Engine) -> None:
    """All of it is one transaction."""
    with writing(bare) as connection:
        connection.execute(text("CREATE TABLE tries (x INTEGER)"))
    with pytest.raises(Exception, match="tries"):
        upgrade(bare)
    with bare.connect() as connection:
        assert not bare.dialect.has_table(connection, "calls")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "://x"])
def test_what_is_no_database_is_named_with_its_remedy(tmp_path: Path, url: str) -> None:
    """And the URL, which may hold a password, is not repeated."""
    with pytest.raises(BadDatabase, match="ledger.database") as raised:
        open_engine(url, tmp_path)
    assert url not in str(raised.value)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    """In logs the URL has none."""
    assert "hunter2" not in shown(open_engine("postgres://gate:hunter2@db.example/tidegate", tmp_path))
