"""What workers share, in the file: what it comes to, who is who, and what `check` says of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.advice.test_file import warnings
from tests.config.conftest import Loads
from tests.config.texts import SMALLEST
from tidegate.config.advice import cluster as advice_cluster
from tidegate.config.build.cluster import node_of, settled
from tidegate.model.cluster import ClusterSettings
from tidegate.model.snapshot import decode, encode
from tidegate.supervisor.messages import Decoder, Loaded

OWN = "unix:///run/gate/valkey.sock"
FILED = SMALLEST + "cluster: {url: 'redis://one.example', node: here}\n"


def test_defaults_are_those_of_the_record(loads: Loads) -> None:
    """Left out or empty, each worker is by itself."""
    assert loads(SMALLEST).snapshot.cluster == ClusterSettings()
    assert loads(SMALLEST + "cluster: {}\n").snapshot.cluster == ClusterSettings()


def test_every_field_arrives(loads: Loads) -> None:
    """In microseconds, and over the wire between processes."""
    fields = "url: 'rediss://h', prefix: p, node: n, timeout_ms: 20, on_state_loss: closed, share_seconds: 9, region: r"
    snapshot = loads(f"{SMALLEST}cluster: {{{fields}}}\n").snapshot
    assert snapshot.cluster == ClusterSettings("rediss://h", "p", "n", 20_000, "closed", 9_000_000, "r")
    assert decode(encode(snapshot)) == snapshot


@pytest.mark.parametrize(
    ("text", "shared", "node", "found"),
    [
        (SMALLEST, "", "named", ("", "")),
        (SMALLEST, OWN, "", (OWN, "usual")),
        (SMALLEST, OWN, "named", (OWN, "named")),
        (FILED, OWN, "", ("redis://one.example", "here")),
        (FILED, "", "named", ("redis://one.example", "named")),
        (FILED.replace(", node: here", ""), "", "", ("redis://one.example", "usual")),
    ],
)
def test_the_file_before_the_gate_and_the_option_before_the_file(
    loads: Loads, text: str, shared: str, node: str, found: tuple[str, str]
) -> None:
    """The gate's own server is for who names none; `--node` is this machine's word. No cluster, no change."""
    snapshot = loads(text).snapshot
    after = settled(snapshot, shared, node, "usual")
    assert (after.cluster.url, after.cluster.node) == found
    assert (after is snapshot) is (found == ("", ""))


def test_two_gates_of_one_host_have_two_names() -> None:
    """By their state directories; whatever a host is called, it is the name of a node."""
    first, second = node_of("web 1/ü", "/var/a"), node_of("web 1/ü", "/var/b")
    assert first != second
    assert first.startswith("web-1-")
    assert node_of("", "/var/a").startswith("node-")
    assert len(node_of("h" * 300, "/var/a")) < 128


def test_the_loader_says_whose_server_it_is(tmp_path: Path) -> None:
    """The supervisor keeps one where the file names none."""
    for text, shared in ((SMALLEST, True), (FILED, False)):
        path = tmp_path / "gate.yaml"
        path.write_text(text)
        command = [sys.executable, "-m", "tidegate.config.loader", str(path), "--shared", OWN, "--state-dir", "/s"]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30)
        loaded = Decoder().feed(done.stdout)[1]
        assert isinstance(loaded, Loaded)
        assert loaded.shared is shared
        assert decode(loaded.snapshot).cluster.node


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("on_state_loss: open", "no shared limit holds anybody back"),
        ("url: 'redis://:s3cret@h'", "a password stands in the file"),
        ("url: 'redis://h'", "while the database is SQLite"),
    ],
)
def test_what_check_says(loads: Loads, fields: str, said: str) -> None:
    """With line and remedy, and no value."""
    found = [one for one in warnings(loads, f"{SMALLEST}cluster: {{{fields}}}\n") if "cluster" in one]
    assert any(said in one for one in found)
    assert not any("s3cret" in one for one in found)


def test_one_server_for_quotas_and_answers(loads: Loads) -> None:
    """Whatever else stands in the two URLs."""
    text = "cluster: {url: 'redis://h:6379/1'}\ncache: {redis: {url: 'redis://h'}}\n"
    text += "ledger: {database: 'postgresql://h/d'}\n"
    found = [one for one in warnings(loads, SMALLEST + text) if "server that holds the quotas" in one]
    assert len(found) == 1
    assert not any("SQLite" in one for one in warnings(loads, SMALLEST + text))


def test_a_missing_package(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with what installs it."""
    monkeypatch.setattr(advice_cluster, "find_spec", lambda _: None)
    assert any("tidegate[redis]" in one for one in warnings(loads, FILED))
