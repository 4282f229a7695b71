"""A stand on SQLite, or on PostgreSQL."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.servers.postgres import Postgres
from tests.jobs.batches.stand import Stand
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import JobSettings

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def rows(request: pytest.FixtureRequest, schema: Path, tmp_path: Path) -> Iterator[JobRows]:
    """On SQLite, or in the database that a test names: `both`."""
    database = ""
    if getattr(request, "param", "sqlite") == "postgresql":
        database = request.getfixturevalue("postgres").database(f"batches{next(_NUMBERS)}")
    else:
        shutil.copy(schema, tmp_path)
    opened = open_rows(JobSettings(database=database), "", tmp_path)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def settings() -> dict[str, object]:
    """To be made others by who needs them."""
    return {}


@pytest_asyncio.fixture
async def stand(rows: JobRows, tmp_path: Path, settings: dict[str, object]) -> AsyncIterator[Stand]:
    """It serves."""
    made = Stand(rows, tmp_path, **settings)
    serving = asyncio.create_task(made.server.serve([made.socket]))
    yield made
    await made.close()
    await serving
    made.desk.close()
