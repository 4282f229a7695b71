"""`tidegate jobs worker` with what it cannot begin with: one line that names the argument and the remedy."""

from pathlib import Path

import pytest

from tidegate.cli.main import main

PROVIDERS = "providers: {p: {profile: generic, base_url: http://127.0.0.1:9, scopes: [{name: s, keys: [none]}]}}\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "tidegate.yaml"
    path.write_text(f"{PROVIDERS}jobs: {{}}\n")
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["jobs", "worker", *words]) == 2
    return capsys.readouterr().err


def test_a_configuration_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told who says why."""
    assert said(capsys, "--config", "nope.yaml") == (
        "error: --config nope.yaml: it cannot be used: `tidegate check nope.yaml` says why\n"
    )


def test_a_configuration_without_patient_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """There is nothing to run by it."""
    path = tmp_path / "tidegate.yaml"
    path.write_text(PROVIDERS)
    assert "no work is patient by it: write `jobs: {}`" in said(capsys, "--config", str(path))


def test_a_state_directory_that_is_not_there(capsys: pytest.CaptureFixture[str], config: str) -> None:
    """It is not made: it would be another gate's."""
    assert "there is no such folder; name the one of the gate" in said(capsys, "-c", config, "--state-dir", "/nix")


def test_an_unknown_backend(capsys: pytest.CaptureFixture[str], config: str, tmp_path: Path) -> None:
    """Those that there are are listed, and the URL is not told."""
    error = said(capsys, "-c", config, "--state-dir", str(tmp_path), "--backend", "kafka://me:secret@host")
    assert error == (
        "error: --backend: no such queue backend; use one of sqlite://, redis://, rediss://, amqp://, amqps://\n"
    )


@pytest.mark.parametrize("count", ["0", "-1", "many", "10001"])
def test_a_concurrency_that_is_none(capsys: pytest.CaptureFixture[str], config: str, count: str) -> None:
    """The bounds are told."""
    with pytest.raises(SystemExit, match="2"):
        main(["jobs", "worker", "-c", config, "--concurrency", count])
    assert "write a number from 1 to 10000" in capsys.readouterr().err
