"""Databases to test on: a fresh SQLite file, and a PostgreSQL server of the run's own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from harness.servers.postgres import Postgres
from tidegate.store.engine import open_engine
from tidegate.store.upgrade import upgrade

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """With the schema of this version."""
    engine = open_engine("", tmp_path)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def ready(postgres: Postgres) -> str:
    """The name of a database with the schema of this version, to make others like it."""
    made = open_engine(postgres.database("ready"), Path())
    upgrade(made)
    made.dispose()
    return "ready"


@pytest.fixture
def postgresql(postgres: Postgres, ready: str, tmp_path: Path) -> Iterator[Engine]:
    """With the schema of this version."""
    engine = open_engine(postgres.database(f"test{next(_NUMBERS)}", ready), tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Either database, empty."""
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database(f"test{next(_NUMBERS)}")
    engine = open_engine(url, tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Either database, with the schema of this version."""
    made: Engine = request.getfixturevalue(request.param)
    return made
