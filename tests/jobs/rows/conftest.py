"""Rows to test on: a fresh SQLite file, and a database of a PostgreSQL server of the run's own."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.servers.postgres import Postgres
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DATABASE, JobSettings

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def ready(postgres: Postgres) -> str:
    """The name of a database with the schema, to make others like it."""
    open_rows(JobSettings(database=postgres.database("ready")), "", Path()).engine.dispose()
    return "ready"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, to make others like it."""
    folder = tmp_path_factory.mktemp("jobs")
    open_rows(JobSettings(), "", folder).engine.dispose()
    return folder / DATABASE


@pytest.fixture
def sqlite(made: Path, tmp_path: Path) -> Iterator[JobRows]:
    shutil.copy(made, tmp_path)
    rows = open_rows(JobSettings(), "", tmp_path)
    yield rows
    rows.engine.dispose()


@pytest.fixture
def postgresql(postgres: Postgres, ready: str, tmp_path: Path) -> Iterator[JobRows]:
    url = postgres.database(f"test{next(_NUMBERS)}", ready)
    rows = open_rows(JobSettings(database=url), "", tmp_path)
    yield rows
    rows.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest) -> JobRows:
    made: JobRows = request.getfixturevalue(request.param)
    return made
