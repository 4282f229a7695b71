"""The loader as a process, as the supervisor runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.texts import MISSION, SMALLEST
from tidegate.config import loader
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import Caching, SemanticPolicy, Snapshot, Strategy, decode
from tidegate.supervisor.messages import Decoder, Loaded, Named


def run(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tidegate.config.loader", *arguments]
    return subprocess.run(command, capture_output=True, check=False, env=environ, timeout=30)


def test_good_file(tmp_path: Path) -> None:
    """The snapshot on standard output, after the files it names; a line for each warning on standard error."""
    path = tmp_path / "gate.yaml"
    path.write_text(SMALLEST + MISSION)
    done = run(str(path), "--version", "7", environ={"OPENAI_API_KEY": "sk-env"})
    named, frame = Decoder().feed(done.stdout)
    assert named == Named(())
    assert isinstance(frame, Loaded)
    assert (frame.clients, frame.tls, frame.drain_timeout_us) == (False, False, 30_000_000)
    snapshot = decode(frame.snapshot)
    assert (done.returncode, snapshot.version) == (0, 7)
    assert snapshot.providers[0].scopes[0].keys == ("sk-env",)
    lines = done.stderr.decode().splitlines()
    assert lines == [f"warning: {warning}" for warning in snapshot.warnings]
    assert len(lines) == 2
    assert lines[0].startswith(f"warning: {path}:1:1: clients: ")


def test_bad_file(tmp_path: Path) -> None:
    """No snapshot on standard output, a line for each error, and 2."""
    path = tmp_path / "gate.yaml"
    path.write_text(MISSION + "colour: blue\n")
    done = run(str(path))
    assert done.returncode == 2
    assert Decoder().feed(done.stdout) == [Named(())]
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


def test_the_file_of_keys_is_named(tmp_path: Path) -> None:
    """Also when it is what is wrong: the gate looks at it until it is right. What is no YAML names nothing."""
    path, keys = tmp_path / "gate.yaml", tmp_path / "keys.txt"
    path.write_text(SMALLEST + "clients: {keys_file: keys.txt}\n")
    assert Decoder().feed(run(str(path)).stdout) == [Named((str(keys),))]
    keys.write_text(f"billing {'0' * 64}\n")
    named, frame = Decoder().feed(run(str(path)).stdout)
    assert named == Named((str(keys),))
    assert isinstance(frame, Loaded)
    assert frame.clients
    path.write_text("a: [")
    assert run(str(path)).stdout == b""


def test_keys_of_a_namespace_are_client_keys(tmp_path: Path) -> None:
    """With one the gate is no open house, so it may serve other machines."""
    path = tmp_path / "gate.yaml"
    path.write_text(SMALLEST + "namespaces: {acme: {keys: [k]}}\n")
    _, frame = Decoder().feed(run(str(path)).stdout)
    assert isinstance(frame, Loaded)
    assert frame.clients


@pytest.mark.parametrize(
    ("caching", "wanted"),
    [
        (Caching(enabled=True), False),
        (Caching(enabled=True, semantic=SemanticPolicy("shadow")), True),
        (Caching(enabled=True, semantic=SemanticPolicy("on")), True),
        (Caching(semantic=SemanticPolicy("on")), False),
    ],
)
def test_who_compares_questions_is_told(caching: Caching, wanted: bool) -> None:
    """One strategy is enough, or what holds for calls that name a model; one that caches nothing compares nothing."""
    plain = Strategy("plain", "p/m")
    of_a_strategy = Snapshot(1, (), (plain, Strategy("s", "p/m", caching=caching)))
    of_a_model = Snapshot(1, (), (plain,), Strategy("", "", caching=caching))
    beside = ("semantic",) if wanted else ()
    assert [loader._loaded(snapshot).beside for snapshot in (of_a_strategy, of_a_model)] == [beside, beside]


@pytest.mark.parametrize(
    ("jobs", "queues", "wanted"),
    [
        (JobSettings(), ("redis://a",), ()),
        (JobSettings(enabled=True), (), ("desk", "runner-0")),
        (JobSettings(enabled=True, runners=2), ("redis://a", ""), ("desk", *(f"runner-{n}" for n in range(4)))),
        (JobSettings(enabled=True, runners=0), ("redis://a",), ("desk",)),
    ],
)
def test_who_does_patient_work_is_told(jobs: JobSettings, queues: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    """The desk, and as many runners as are kept for each queue."""
    strategies = tuple(Strategy(f"s{queue}", "p/m", queue_backend=queue) for queue in queues)
    assert loader._loaded(Snapshot(1, (), strategies, jobs=jobs)).beside == wanted
