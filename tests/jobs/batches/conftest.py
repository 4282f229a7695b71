"""A stand on SQLite."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.jobs.batches.stand import Stand
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DATABASE, JobSettings


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, to make others like it."""
    folder = tmp_path_factory.mktemp("jobs")
    open_rows(JobSettings(), "", folder).engine.dispose()
    return folder / DATABASE


@pytest.fixture
def rows(made: Path, tmp_path: Path) -> Iterator[JobRows]:
    shutil.copy(made, tmp_path)
    opened = open_rows(JobSettings(), "", tmp_path)
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
