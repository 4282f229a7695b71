"""A configuration that changes on the disk, as editors and orchestrators change it: no signal is sent."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stand import HUGE, Gate, Twin, provider, until


def settings(twin: Twin, *namespaces: str) -> dict[str, Any]:
    """Each namespace has its own name as its key."""
    return {
        "providers": {"openai": provider(twin.url, "sk-reload", {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}})},
        "namespaces": {name: {"tier": "free", "keys": [{"name": f"{name}-web", "key": name}]} for name in namespaces},
        "clients": {"keys_file": "keys"},
    }


def version(folder: Path, *keys: str, **tree: Any) -> Path:
    """A folder with one version of the files, as an orchestrator mounts it."""
    folder.mkdir()
    (folder / "tidegate.yaml").write_text(json.dumps(tree), encoding="utf-8")
    lines = [f"{key} {sha256(key.encode()).hexdigest()}\n" for key in keys]
    (folder / "keys").write_text("".join(lines), encoding="utf-8")
    return folder


def turn(link: Path, folder: Path) -> None:
    """Let the link show another folder, in one step."""
    new = link.with_name("..new")
    new.symlink_to(folder.name)
    new.rename(link)


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder whose files are links through `..data` to the version that holds."""
    folder = tmp_path / "gate0"
    folder.mkdir()
    for name in ("tidegate.yaml", "keys"):
        (folder / name).symlink_to(f"..data/{name}")
    return folder


async def status(gate: Gate, key: str) -> int:
    return (await gate.chat("gpt-4o", headers={"authorization": f"Bearer {key}"})).status


async def test_links_that_are_turned(gates: Callable[..., Gate], mounted: Path, twin: Twin) -> None:
    """New namespaces and new keys hold, old ones do not; a bad version is told once and changes nothing."""
    (mounted / "..data").symlink_to("v1")
    text = json.dumps(settings(twin, "acme"))
    version(mounted / "v1", "filed1", **settings(twin, "acme"))
    gate = gates(text)
    worker = gate.worker
    assert [await status(gate, key) for key in ("acme", "filed1", "globex", "filed2")] == [200, 200, 401, 401]

    turn(mounted / "..data", version(mounted / "v2", "filed2", **settings(twin, "globex")))
    await until(lambda: '"version": 2' in gate.log(), "the second version")
    assert [await status(gate, key) for key in ("acme", "filed1", "globex", "filed2")] == [401, 401, 200, 200]

    turn(mounted / "..data", version(mounted / "v3", **settings(twin, "free"), colour="s3cret"))
    await until(lambda: "configuration not reloaded" in gate.log(), "the log to say what is wrong")
    assert "namespaces.free: a tier has the same name" in gate.log()
    assert "colour: unknown field" in gate.log()
    assert "s3cret" not in gate.log()
    assert await status(gate, "globex") == 200

    turn(mounted / "..data", version(mounted / "v4", "filed4", **settings(twin)))
    await until(lambda: '"version": 4' in gate.log(), "the fourth version")
    assert gate.log().count("configuration not reloaded") == 1
    assert [await status(gate, key) for key in ("globex", "filed4")] == [401, 200]
    assert gate.worker == worker


async def test_only_the_file_of_keys_changes(gates: Callable[..., Gate], tmp_path: Path, twin: Twin) -> None:
    """It is part of the configuration: a new key holds without a word, and a broken line keeps the old ones."""
    (tmp_path / "gate0").mkdir()
    keys = tmp_path / "gate0" / "keys"
    keys.write_text(f"one {sha256(b'one').hexdigest()}\n", encoding="utf-8")
    gate = gates(settings(twin))
    with keys.open("a", encoding="utf-8") as file:
        file.write("two no-digest\n")
    await until(lambda: f"{keys}:2:1: " in gate.log(), "the log to say what is wrong")
    assert [await status(gate, key) for key in ("one", "two")] == [200, 401]
    keys.write_text(f"two {sha256(b'two').hexdigest()}\n", encoding="utf-8")
    await until(lambda: "configuration reloaded" in gate.log(), "the new key")
    assert [await status(gate, key) for key in ("one", "two")] == [401, 200]
