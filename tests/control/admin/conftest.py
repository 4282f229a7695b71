"""An admin port for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.admin.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    if made.engine is not None:
        made.engine.dispose()
