"""A configuration that changes on the disk, as editors and orchestrators change it: no signal is sent."""

import asyncio
import json
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total


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


CALLERS = 24  # for four places, so that most of them wait


def governed(twin: Twin, scheduler: str, pick: str, weight: int, *, kept: bool) -> dict[str, Any]:
    """Two scopes of two calls at a time: in two pools, one of them kept, or in one."""
    limits = {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}}
    scopes = [
        {"name": name, "keys": [f"sk-governed-{name}"], "limits": limits, "max_concurrent": 2} for name in ("a", "b")
    ]
    how = {"scheduler": scheduler, "pick": pick}
    two = {"kept": {"scopes": ["openai/a"], "only": ["vip"], **how}, "open": {"scopes": ["openai/b"], **how}}
    return {
        "providers": {"openai": {"dialect": "openai", "base_url": twin.url, "scopes": scopes}},
        "namespaces": {
            "acme": {"tier": "vip", "keys": ["acme"]},
            "globex": {"tier": "free", "weight": weight, "keys": ["globex"]},
        },
        "pools": two if kept else {"all": {"scopes": ["openai/a", "openai/b"], "shares": {"globex": "20%"}, **how}},
    }


async def test_a_reload_under_load_loses_nothing(gates: Callable[..., Gate], twin: Twin) -> None:
    """While calls wait and run, pools, schedulers, picks and weights change three times.

    Each call is answered, and served once, and no place is taken for good.
    """
    gate = gates(governed(twin, "dynamic", "headroom", 1, kept=False))
    worker, over = gate.worker, asyncio.Event()

    async def caller(name: str) -> list[int]:
        found = []
        while not over.is_set():
            found.append(await status(gate, name))
        return found

    callers = [asyncio.get_running_loop().create_task(caller(name)) for name in ["acme", "globex"] * (CALLERS // 2)]
    changes = (
        ("round_robin", "least_loaded", 3, False),  # the same pool by other rules: who waits in it keeps waiting
        ("weighted", "weighted", 1, True),  # other pools: who waits in the old one is still served by it
        ("dynamic", "affinity", 2, True),
    )
    for number, (scheduler, pick, weight, kept) in enumerate(changes, 2):
        gate.write(governed(twin, scheduler, pick, weight, kept=kept))
        gate.signal(signal.SIGHUP)
        await until(lambda number=number: f'"version": {number}' in gate.log(), "the next version")
    over.set()
    answers = [answer for found in await asyncio.gather(*callers) for answer in found]
    assert answers == [200] * len(answers)
    books = [twin.ledger(f"sk-governed-{name}", "gpt-4o") for name in ("a", "b")]
    assert sum(book["calls"] for book in books) == len(answers)
    assert [record.status for record in gate.records()] == answers
    await until(lambda: total(gate, "tidegate_calls_total{") == len(answers), "every call on the page")
    assert total(gate, "tidegate_queue_calls{") == 0
    again = [status(gate, name) for name in ["acme", "globex"] * 4]
    assert await asyncio.gather(*again) == [200] * 8
    assert gate.worker == worker
