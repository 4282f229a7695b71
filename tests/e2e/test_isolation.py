"""Namespaces with a worker of their own: whose key opens which port, whose quota is spent, and what a death costs."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE
from harness.ports import free_ports
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import Gate
from tests.twin.http import Answer, read
from tidegate.client import Signer
from tidegate.journal import journal
from tidegate.model.facts import CallRecord

NAMES = ("team", "gold", "night")


def settings(twin: Twin, *isolated: str, cpu: float = 0.0) -> dict[str, Any]:
    """A scope for each namespace, and a pool that is kept for it; of those that are isolated each has a port."""
    limits = {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}}
    scopes = [{"name": name, "keys": [f"sk-isolated-{name}"], "limits": limits} for name in NAMES]
    spaces: dict[str, dict[str, Any]] = {name: {"keys": [{"name": f"{name}-web", "key": name}]} for name in NAMES}
    for name, port in zip(isolated, free_ports(len(isolated)), strict=True):
        spaces[name]["isolation"] = {"port": port} | ({"cpu": cpu} if cpu else {})
    return {
        "providers": {"openai": {"dialect": "openai", "base_url": twin.url, "scopes": scopes}},
        "namespaces": spaces,
        "pools": {name: {"scopes": [f"openai/{name}"], "only": [name]} for name in NAMES},
    }


async def call(port: int, key: str, path: str = "/v1/chat/completions", **fields: Any) -> Answer:
    """One call at a port."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}
    data = json.dumps(body | fields).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {key}\r\ncontent-length: {len(data)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + data)
        return await read(reader)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def get(port: int, path: str, head: str) -> Answer:
    """One request without a body, with these header lines."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: gate\r\n{head}\r\n".encode())
        return await read(reader)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_a_key_opens_its_own_port_only(gates: Callable[..., Gate], twin: Twin) -> None:
    """And spends its own scope; at any other port it is unknown, in the words that any unknown key gets."""
    gate = gates(settings(twin, "gold", "night"))
    ports = {"team": gate.port, **gate.ports}
    for name in NAMES:
        for other, port in ports.items():
            answer = await call(port, name)
            assert answer.status == (200 if name == other else 401)
            if answer.status == 401:
                assert answer.body == (await call(port, "nobody")).body
        assert twin.ledger(f"sk-isolated-{name}", "gpt-4o")["calls"] == 1
    assert (await call(gate.port, "")).status == 401


async def test_every_worker_books_its_own_calls_and_one_ledger_has_them_all(
    gates: Callable[..., Gate], twin: Twin
) -> None:
    """Each in a journal below the state directory, with ids that no other worker gives."""
    gate = gates(settings(twin, "gold", "night"))
    for name in NAMES:
        await call(gate.ports.get(name, gate.port), name)
    own = {"team": gate.state, **{name: gate.state / "workers" / name for name in gate.ports}}
    ids = set()
    for name, folder in own.items():
        (found,) = [fact for fact in journal.read(folder / "journal") if isinstance(fact, CallRecord)]
        assert found.tenant == name
        ids.add(found.call_id)
    assert len(ids) == 3
    await until(lambda: stored(gate) == {("team", 1), ("gold", 1), ("night", 1)}, "three calls in the database")


def stored(gate: Gate) -> set[tuple[str, int]]:
    path = gate.state / "tidegate.db"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            return set(database.execute("select namespace, count(*) from calls group by namespace"))
        except sqlite3.OperationalError:
            return set()  # its tables are being made


async def test_a_death_costs_the_others_nothing(gates: Callable[..., Gate], twin: Twin) -> None:
    """Calls of the main worker and of another namespace are answered while one worker is killed and comes back."""
    gate = gates(settings(twin, "gold", "night"))
    before = gate.workers()
    others = [asyncio.create_task(call(gate.port, "team", stream=True)) for _ in range(8)]
    others += [asyncio.create_task(call(gate.ports["night"], "night", stream=True)) for _ in range(8)]
    os.kill(before[1], signal.SIGKILL)
    wait_gone(before[1])
    assert [answer.status for answer in await asyncio.gather(*others)] == [200] * 16
    assert (await call(gate.ports["gold"], "gold")).status == 200
    after = gate.workers()
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]


async def test_a_namespace_is_isolated_and_joined_again_by_reload(gates: Callable[..., Gate], twin: Twin) -> None:
    """Its key moves with it; the main worker stays the same process."""
    gate = gates(settings(twin))
    worker = gate.workers()[0]
    assert (await call(gate.port, "gold")).status == 200
    gate.write(settings(twin, "gold"))
    await until(lambda: '"version": 2' in gate.log(), "the isolation")
    assert (await call(gate.port, "gold")).status == 401
    assert (await call(gate.port, "team")).status == 200
    assert set(gate.workers()) == {0, 1}
    gate.write(settings(twin))
    await until(lambda: '"version": 3' in gate.log(), "the end of it")
    assert (await call(gate.port, "gold")).status == 200
    await until(lambda: gate.workers() == {0: worker}, "the main worker alone")


async def test_each_worker_knows_what_it_granted_itself(gates: Callable[..., Gate], twin: Twin) -> None:
    """A budget begins anew where isolation begins, and goes on at the main worker with what was spent there before."""
    alone, together = settings(twin, "gold"), settings(twin)
    for tree in (alone, together):
        tree["namespaces"]["gold"]["limits"] = {"tokens_per_day": 40}
    gate = gates(together)
    assert {(await call(gate.port, "gold")).status for _ in range(9)} == {200, 429}
    gate.write(alone)
    await until(lambda: '"version": 2' in gate.log(), "the isolation")
    port = alone["namespaces"]["gold"]["isolation"]["port"]
    assert {(await call(port, "gold")).status for _ in range(9)} == {200, 429}
    gate.write(together)
    await until(lambda: '"version": 3' in gate.log(), "the end of it")
    assert (await call(gate.port, "gold")).status == 429


async def test_workers_that_share_their_state_go_on_with_what_was_spent(twin: Twin, tmp_path: Path) -> None:
    """A budget that is used up stays so, where isolation begins and where it ends."""
    alone, together = settings(twin, "gold"), settings(twin)
    for tree in (alone, together):
        tree["namespaces"]["gold"]["limits"] = {"tokens_per_day": 40}
    with closing(Gate(tmp_path, together, "--workers", "2")) as gate:
        assert {(await call(gate.port, "gold")).status for _ in range(9)} == {200, 429}
        gate.write(alone)
        await until(lambda: '"version": 2' in gate.log(), "the isolation")
        assert (await call(alone["namespaces"]["gold"]["isolation"]["port"], "gold")).status == 429
        gate.write(together)
        await until(lambda: '"version": 3' in gate.log(), "the end of it")
        assert (await call(gate.port, "gold")).status == 429


async def test_nothing_is_replayed_where_isolation_ends(gates: Callable[..., Gate], twin: Twin) -> None:
    """The main worker does not know which nonces were used there: it takes nothing that was signed before."""
    alone, together = settings(twin, "gold"), settings(twin)
    for tree in (alone, together):
        tree["namespaces"]["gold"]["keys"][0]["signing"] = "required"
    gate, port = gates(alone), alone["namespaces"]["gold"]["isolation"]["port"]
    signer, path = Signer("gold-web", "gold"), "/v1/models"
    head = "".join(f"{name}: {value}\r\n" for name, value in signer.headers("GET", path, b"").items())
    assert (await get(port, path, head)).status == 200
    gate.write(together)
    await until(lambda: '"version": 2' in gate.log(), "the end of it")
    refused = await get(gate.port, path, head)
    assert (refused.status, refused.json["error"]["code"]) == (401, "invalid_signature")


@pytest.mark.parametrize("name", ["team", "gold"])
async def test_what_the_namespace_has_no_pool_for_is_not_served(
    gates: Callable[..., Gate], twin: Twin, name: str
) -> None:
    """Neither by the only provider that is left; the model is not on the list."""
    tree = settings(twin, "gold")
    tree["providers"]["spare"] = {
        "dialect": "openai",
        "base_url": twin.url,
        "scopes": [{"name": "main", "keys": ["sk-spare"]}],
        "models": {"gpt-4o-mini": {}},
    }
    gate = gates(tree)
    answer = await call(gate.ports.get(name, gate.port), name, model="gpt-4o-mini")
    assert answer.status == (404 if name == "gold" else 200)
