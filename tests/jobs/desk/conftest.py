"""A desk over real rows on SQLite, called as uvicorn would call it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.jobs.desk.stand import Stand
from tidegate.jobs.rows.open import open_rows
from tidegate.model.jobs import DATABASE, JobSettings


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, to make others like it."""
    folder = tmp_path_factory.mktemp("jobs")
    open_rows(JobSettings(), "", folder).engine.dispose()
    return folder / DATABASE


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A state directory with a database."""
    shutil.copy(made, tmp_path)
    return tmp_path


@pytest.fixture
async def stand(place: Path) -> AsyncIterator[Stand]:
    async with Stand(place).open() as opened:
        yield opened
