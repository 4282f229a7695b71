"""The schema, and the ways to it."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

import tidegate.store.identity_tables
import tidegate.store.tables  # noqa: F401 - both declare theirs
from tidegate.store.engine import BadDatabase, open_engine, shown, writing
from tidegate.store.metadata import METADATA
from tidegate.store.upgrade import NewerSchema, upgrade


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
