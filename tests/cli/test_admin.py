"""`tidegate admin token`: a way in for who has none."""

from pathlib import Path

import pytest

from tests.control.admin.desk import Desk
from tidegate.cli.main import main


def test_a_token_made_on_the_machine_opens_a_running_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, also where the gate runs already; the audit says that it was made here."""
    desk = Desk(tmp_path)
    assert main(["admin", "token", "--state-dir", str(tmp_path), "--name", "rescue"]) == 0
    printed = capsys.readouterr()
    token = printed.out.strip()
    assert token.startswith("tga_")
    assert token not in printed.err
    assert desk.ask("GET", "/whoami", token=token).json()["name"] == "rescue"
    entry = desk.ask("GET", "/audit?action=token.create", token=token).json()[0]
    assert (entry["address"], entry["target"]) == ("this machine", "rescue")
    assert main(["admin", "token", "--state-dir", str(tmp_path), "--name", "rescue"]) == 2
    assert "--name rescue" in capsys.readouterr().err
    assert desk.engine is not None
    desk.engine.dispose()


@pytest.mark.parametrize("error", [KeyError("uid not found: 10001"), OSError("No username set in the environment")])
def test_who_has_no_name_makes_one_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """In a container a user may be a number only."""

    def nobody() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", nobody)
    assert main(["admin", "token", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("tga_")


def test_it_is_written_to_a_new_file_that_others_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never over another file; and no file is left when no token was made."""
    out = tmp_path / "token"
    assert main(["admin", "token", "--state-dir", str(tmp_path), "--out", str(out)]) == 0
    assert out.read_text().startswith("tga_")
    assert out.stat().st_mode & 0o077 == 0
    assert capsys.readouterr().out == ""
    assert main(["admin", "token", "--state-dir", str(tmp_path), "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["admin", "token", "--state-dir", str(tmp_path / "no"), "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists()


def test_the_database_is_the_configuration_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is said to be so, and where to look."""
    broken = tmp_path / "gate.yaml"
    broken.write_text("providers: 1")
    assert main(["admin", "token", "--state-dir", str(tmp_path), "-c", str(broken)]) == 2
    assert "tidegate check" in capsys.readouterr().err
