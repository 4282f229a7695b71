"""The tables of jobs, and the ways to them."""

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import tidegate.jobs.batches.tables
import tidegate.jobs.hooks.tables  # noqa: F401 - each declares its own
from harness.servers.postgres import Postgres
from tidegate.jobs.rows.open import NEWEST, SCHEMA, open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.rows.tables import METADATA, VERSION
from tidegate.model.jobs import JobSettings
from tidegate.store.engine import BadDatabase, open_engine, writing
from tidegate.store.upgrade import NewerSchema, upgrade


def test_revisions_end_at_what_is_declared(rows: JobRows) -> None:
    """On either database: nothing is missing, nothing is left over; again is nothing."""
    before, now = upgrade(rows.engine, schema=SCHEMA)
    assert before == now == NEWEST
    with rows.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION})
        assert compare_metadata(context, METADATA) == []


def test_jobs_live_beside_the_ledger(postgres: Postgres, tmp_path: Path) -> None:
    """In its PostgreSQL, unless they have a database of their own; with a ledger on SQLite in a file of their own."""
    url = postgres.database("beside")
    ledger = open_engine(url, tmp_path)
    upgrade(ledger)
    rows = open_rows(JobSettings(), url, tmp_path)
    assert rows.engine.url == ledger.url
    assert {"calls", "jobs", "alembic_version", VERSION} <= set(inspect(ledger).get_table_names())
    assert upgrade(ledger)[0] == upgrade(ledger)[1]
    own = open_rows(JobSettings(database=f"sqlite:///{tmp_path / 'own.db'}"), url, tmp_path)
    beside = open_rows(JobSettings(), f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*.db")} == {
        "own.db": 0o600,
        "jobs.db": 0o600,
    }
    for made in (rows, own, beside):
        made.engine.dispose()
    ledger.dispose()


def test_a_newer_schema_is_left_alone(sqlite: JobRows) -> None:
    """An old version does not write into what it does not know."""
    with writing(sqlite.engine) as connection:
        connection.execute(text(f"UPDATE {VERSION} SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match="9999"):
        upgrade(sqlite.engine, schema=SCHEMA)


def test_what_is_no_database_is_named_with_its_field(tmp_path: Path) -> None:
    """And the URL, which may hold a password, is not repeated."""
    with pytest.raises(BadDatabase, match=r"jobs\.database") as raised:
        open_rows(JobSettings(database="mysql://gate:hunter2@x/y"), "", tmp_path)
    assert "hunter2" not in str(raised.value)


def _open(folder: str) -> bytes:
    rows = open_rows(JobSettings(), "", Path(folder))
    return rows.secret()


def test_several_may_begin_at_once(tmp_path: Path) -> None:
    """Desk and runners start together: one makes the tables, the others find them; there is one secret."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_open, [str(tmp_path)] * 4, chunksize=1))) == 1
