"""A configuration that is handed to other nodes: what goes into it, what never does, and how another node reads it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.config.findings import ConfigError
from tidegate.config.load import Loaded, Sharing, load
from tidegate.config.parcels import Unshareable
from tidegate.config.shared_files import given, kept, put, shares
from tidegate.model.parcel import Kept, Parcel, encode, parcel_of
from tidegate.supervisor.messages import Decoder
from tidegate.supervisor.messages import Loaded as Told

LINE = f"ann {hashlib.sha256(b'sk-ann').hexdigest()}\n"
TEXT = """\
providers:
  openai: {dialect: openai, base_url: "https://api.example/v1", scopes: [{name: main, keys: ["${KEY}"]}]}
clients: {keys_file: keys.txt}
cluster: {url: "redis://redis.example"}
"""
ENVIRON = {"KEY": "sk-of-this-node"}


def write(folder: Path, text: str = TEXT) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "keys.txt").write_text(LINE)
    path = folder / "tidegate.yaml"
    path.write_text(text)
    return str(path)


def packed(path: str, environ: dict[str, str] | None = None) -> Loaded:
    return load(path, environ or ENVIRON, serving=True, sharing=Sharing(packs=True, version=4))


def test_a_parcel_has_the_text_as_it_is_written_and_its_files(tmp_path: Path) -> None:
    """References to the environment stay references: no key of a provider is in it."""
    loaded = packed(write(tmp_path))
    parcel = parcel_of(loaded.packed)
    assert parcel == Parcel(TEXT.encode(), (("keys.txt", LINE.encode()),))
    assert loaded.snapshot.shared_version == 4
    assert b"sk-of-this-node" not in loaded.packed


def test_another_node_reads_it_by_its_own_environment(tmp_path: Path) -> None:
    """And by the parcel's files, whatever stands in its own."""
    parcel = packed(write(tmp_path / "a")).packed
    there = write(tmp_path / "b", "providers: {}\n")
    Path(there).with_name("keys.txt").write_text("other " + "0" * 64 + "\n")
    (tmp_path / "parcel").write_bytes(parcel)
    sharing = given(str(tmp_path / "parcel"), 5, str(tmp_path / "state"))
    loaded = load(there, {"KEY": "sk-of-that-node"}, serving=True, sharing=sharing)
    assert loaded.snapshot.providers[0].scopes[0].keys == ("sk-of-that-node",)
    assert [client.name for client in loaded.snapshot.clients] == ["ann"]
    assert loaded.snapshot.shared_version == 5
    assert loaded.named == (str(tmp_path / "b" / "keys.txt"),)
    with pytest.raises(ConfigError):
        load(there, {}, serving=True, sharing=sharing)
    (old := tmp_path / "state" / "configuration" / "old").write_text("")
    os.utime(old, (1, 1))
    load(there, ENVIRON, serving=True, sharing=sharing)
    assert len(list(old.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("${KEY}", "sk-0123456789abcdef", "line 2: providers.openai.scopes[0].keys"),
        ("redis://redis.example", "redis://:secret@redis.example", "line 4: cluster.url"),
        ("https://api.example/v1", 'https://api.example/v1", proxy: "http://me:secret@proxy.example', "line 2"),
        ('url: "redis', 'node: one, url: "redis', "line 4: cluster.node"),
    ],
)
def test_what_is_secret_or_one_node_s_alone_is_not_handed_round(tmp_path: Path, old: str, new: str, where: str) -> None:
    """The line is named, and never what stands there."""
    with pytest.raises(Unshareable, match="^" + where.replace("[", r"\[").replace("]", r"\]")) as caught:
        packed(write(tmp_path, TEXT.replace(old, new)))
    assert "secret" not in str(caught.value).replace("a password", "")
    assert "0123456789" not in str(caught.value)


def test_what_was_kept_goes_before_the_file_unless_that_is_to_be_its_own(tmp_path: Path) -> None:
    """A file that is broken, or older, does not count; one that says `own` does, and so does one without a cluster."""
    path = write(tmp_path)
    put(str(tmp_path / "kept"), encode(Kept(7, packed(path).packed)))
    found = kept(str(tmp_path / "kept"), path, str(tmp_path))
    assert found is not None
    assert found.version == 7
    for text in ("providers: {}\n", TEXT.replace("{url", "{configuration: own, url")):
        assert kept(str(tmp_path / "kept"), write(tmp_path, text), str(tmp_path)) is None
    (tmp_path / "kept").write_bytes(b"damaged")
    assert kept(str(tmp_path / "kept"), write(tmp_path), str(tmp_path)) is None


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("cluster:\n  url: x\n", True),
        ('{"a": 1, "cluster": {"url": "x"}}', True),
        ("cluster:\n  configuration: own\n", False),
        ('{"cluster": {"url": "x", "configuration": "own"}}', False),
        ("model: my-cluster: x\n", False),
        ("", False),
    ],
)
def test_a_look_tells_whether_a_file_wants_to_be_all_nodes(tmp_path: Path, text: str, shared: bool) -> None:
    """It need not be right for that."""
    path = tmp_path / "file"
    path.write_text(text)
    assert shares(path) is shared


def test_a_node_that_cannot_use_what_was_kept_starts_by_its_own_file(tmp_path: Path) -> None:
    """And says so."""
    path = write(tmp_path, TEXT.replace("${KEY}", "sk"))
    other = packed(write(tmp_path / "other", TEXT.replace("${KEY}", "${NOT_HERE}")), {"NOT_HERE": "x"}).packed
    put(str(tmp_path / "kept"), encode(Kept(7, other)))
    words = [sys.executable, "-m", "tidegate.config.loader", path, "--state-dir", str(tmp_path)]
    done = subprocess.run([*words, "--kept", str(tmp_path / "kept")], capture_output=True, check=True)
    assert b"so this node's own file is: version 7" in done.stderr
    assert any(isinstance(one, Told) and one.common for one in Decoder().feed(done.stdout))
