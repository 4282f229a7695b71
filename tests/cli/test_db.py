"""`tidegate db upgrade`."""

from pathlib import Path

import pytest

from tidegate.cli.main import main
from tidegate.store.engine import open_engine
from tidegate.store.upgrade import upgrade


def test_a_database_is_made_and_then_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time there is nothing to do."""
    assert main(["db", "upgrade", "--state-dir", str(tmp_path)]) == 0
    assert "was brought from nothing to" in capsys.readouterr().out
    assert main(["db", "upgrade", "--state-dir", str(tmp_path)]) == 0
    assert "is that of this version" in capsys.readouterr().out
    engine = open_engine("", tmp_path)
    before, now = upgrade(engine)
    assert before == now
    engine.dispose()


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is a wrong usage; a file that cannot be used too."""
    assert main(["db", "upgrade", "--state-dir", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
    bad = tmp_path / "bad.yaml"
    bad.write_text("providers: 7")
    assert main(["db", "upgrade", "-c", str(bad)]) == 2
    assert "tidegate check" in capsys.readouterr().err
