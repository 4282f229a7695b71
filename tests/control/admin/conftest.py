"""An admin port for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.admin.desk import Desk, opened


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from opened(tmp_path)
