"""The loader as a process, as the supervisor runs it."""

import subprocess
import sys
from pathlib import Path

from tests.config.texts import MISSION, SMALLEST
from tidegate.model.snapshot import decode
from tidegate.planes.messages import Decoder, Loaded


def run(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tidegate.config.loader", *arguments]
    return subprocess.run(command, capture_output=True, check=False, env=environ, timeout=30)


def test_good_file(tmp_path: Path) -> None:
    """One frame with the snapshot on standard output; a line for each warning on standard error."""
    path = tmp_path / "gate.yaml"
    path.write_text(SMALLEST + MISSION)
    done = run(str(path), "--version", "7", environ={"OPENAI_API_KEY": "sk-env"})
    (frame,) = Decoder().feed(done.stdout)
    assert isinstance(frame, Loaded)
    assert (frame.clients, frame.tls, frame.drain_timeout_us) == (False, False, 30_000_000)
    snapshot = decode(frame.snapshot)
    assert (done.returncode, snapshot.version) == (0, 7)
    assert snapshot.providers[0].scopes[0].keys == ("sk-env",)
    lines = done.stderr.decode().splitlines()
    assert lines == [f"warning: {warning}" for warning in snapshot.warnings]
    assert len(lines) == 5
    assert lines[0].startswith(f"warning: {path}:1:1: clients: ")


def test_bad_file(tmp_path: Path) -> None:
    """Nothing on standard output, a line for each error, and 2."""
    path = tmp_path / "gate.yaml"
    path.write_text(MISSION + "colour: blue\n")
    done = run(str(path))
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert [line.partition(";")[0] for line in lines] == [f"error: {path}:24:1: colour: unknown field"]


def test_purpose(tmp_path: Path) -> None:
    """A file without providers is enough for `check`, and not for `serve`, which is the default."""
    path = tmp_path / "gate.yaml"
    path.write_text(MISSION)
    assert run(str(path), "--for", "check").returncode == 0
    done = run(str(path))
    assert done.returncode == 2
    assert b"providers: serve needs at least one provider" in done.stderr
