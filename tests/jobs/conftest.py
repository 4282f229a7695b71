"""Rows of its own for each test, without bringing up the schema each time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DATABASE, JobSettings


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with nothing in it, to make others like it."""
    folder = tmp_path_factory.mktemp("jobs")
    open_rows(JobSettings(), "", folder).engine.dispose()
    return folder / DATABASE


@pytest.fixture
def fresh_rows(schema: Path, tmp_path: Path) -> Iterator[JobRows]:
    """In `tmp_path`, as if it were a state directory."""
    shutil.copy(schema, tmp_path)
    opened = open_rows(JobSettings(), "", tmp_path)
    yield opened
    opened.engine.dispose()
