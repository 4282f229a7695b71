"""The control process sees to drills where there are any."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.wait import DEADLINE
from tests.drills.test_runner import SETTINGS
from tidegate.control import drills as room
from tidegate.control.declared import Declaration, Declared
from tidegate.control.drills import Drills
from tidegate.model.drills import OUT
from tidegate.observe.log import Log
from tidegate.testing import ManualClock


def made(folder: Path, declared: Declared) -> Drills:
    return Drills(folder, lambda: None, Declaration(declared), lambda: None, Log("control"), ManualClock())


def test_without_drills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was left out is back, and alerts have nothing to look at."""
    monkeypatch.setattr(room, "_IDLE", 0.0)
    (tmp_path / OUT).write_text("[]")
    before = made(tmp_path, Declared())
    before.look()
    assert (tmp_path / OUT).exists(), "nobody knows yet what is declared"
    drills = made(tmp_path, Declared(version=1))
    drills.look()
    assert not (tmp_path / OUT).exists()
    assert drills.samples(None, 0) == []  # type: ignore[arg-type]


def test_with_drills(tmp_path: Path) -> None:
    """One watch for everybody; somebody's demand ends its rest."""
    drills = made(tmp_path, replace(Declared(version=1), drills=SETTINGS))
    watch = drills.watch()
    assert drills.watch() is watch
    watch.demand("d")
    watch.rest(DEADLINE)
    assert len(watch.waiting) == 1
