"""Two nodes with one Valkey and one PostgreSQL are one gate for who manages it: keys, purges, configuration, ledger."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from bench.postgres import Postgres
from bench.valkey import Valkey
from tests.e2e.stand import HUGE, Gate, Twin, provider, total, until
from tests.e2e.test_managed_keys import TOKEN, Admin

pytestmark = pytest.mark.timeout(240)  # each starts two gates, some again


class Node(Gate):
    """One of them."""

    def __init__(self, folder: Path, tree: dict[str, Any], first: "Node | None" = None) -> None:
        super().__init__(folder, tree)
        self.first = first or self

    def start(self) -> None:
        """Again, after it ended."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        options = ["-c", str(self.config), "--port", "0", "--admin-port", "0", "--state-dir", str(self.state)]
        with self.log_path.open("ab") as log:
            command = [sys.executable, "-m", "tidegate", "serve", *options]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.wait_ready()

    async def status(self, key: str, model: str = "gpt-4o") -> int:
        return (await self.chat(model, headers={"authorization": f"Bearer {key}"})).status


class Office(Admin):
    """Asks one node with the token that the first one showed."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.node = node

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        await until(lambda: TOKEN.search(self.node.first.log()), "the first admin token")
        found = TOKEN.search(self.node.first.log())
        assert found is not None
        while True:
            status, data = await asyncio.to_thread(self._ask, found[1], method, path, body)
            if status != 503:
                break
        assert status < 300, data
        return json.loads(data) if data else None


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[Valkey, Postgres]]:
    valkey, postgres = Valkey(), Postgres()
    yield valkey, postgres
    valkey.close()
    postgres.close()


def tree(twin: Twin, stores: tuple[Valkey, Postgres], name: str, **more: Any) -> dict[str, Any]:
    limits = {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}}
    return {
        "providers": {"openai": provider(twin.url, "sk-managed", limits)},
        "access": {"failures": 0},
        "cluster": {"url": stores[0].url, "prefix": name},
        "ledger": {"database": stores[1].url(name)},
    } | more


@pytest.fixture
def nodes(
    session_twin: Twin, stores: tuple[Valkey, Postgres], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Node, Node, dict[str, Any]]]:
    name = request.node.name
    stores[1].database(name)
    file = tree(session_twin, stores, name)
    first = Node(tmp_path / "a", file)
    second = Node(tmp_path / "b", file, first)
    yield first, second, file
    first.close()
    second.close()


async def in_force(node: Node, version: int) -> None:
    await until(
        lambda: f'"the cluster\'s configuration is in force", "version": {version}' in node.log(), f"version {version}"
    )


async def test_who_manages_one_node_manages_both(nodes: tuple[Node, Node, dict[str, Any]]) -> None:
    """A key made on one opens the other; revoked there it is refused here; a purge arrives; one report has both."""
    first, second, _ = nodes
    here, there = Office(first), Office(second)
    await here.ask("POST", "/namespaces", {"name": "team"})
    key = await here.key("team", "app")
    for node in (first, second):
        while await node.status(key) != 200:
            pass
    await there.ask("POST", "/namespaces/team/keys/team-app/revoke")
    while await first.status(key) == 200:
        pass
    await here.ask("POST", "/cache/purge", {"what": "tag", "value": "blue"})
    await until((second.state / "cache.log").exists, "the purge")
    async with asyncio.timeout(20):
        while True:
            spend = await there.ask("GET", "/spend?by=key&namespace=team")
            made = sum(record.tenant == "team" for node in (first, second) for record in node.records())
            if spend["lines"] and int(spend["lines"][0]["calls"]) == made:
                break


async def test_a_configuration_is_in_force_on_all_or_none(nodes: tuple[Node, Node, dict[str, Any]]) -> None:
    """A good change of one file holds on both; one that a node cannot use on neither; who was away catches up."""
    first, second, file = nodes
    for node in nodes[:2]:
        await in_force(node, 1)
    more = file | {"strategies": {"fast": {"primary_model": "gpt-4o"}}}
    first.write(more)
    for node in nodes[:2]:
        await in_force(node, 2)
        assert (await node.chat("fast")).status == 200
    (second.config.parent / "mine.pem").write_bytes(trustme.CA().cert_pem.bytes())
    bad = json.loads(json.dumps(more))
    bad["providers"]["openai"]["ca_file"] = "mine.pem"
    second.write(bad)
    await until(lambda: "stays on all nodes" in second.log(), "the refusal")
    assert "the file cannot be read" in second.log()
    second.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(second.process.wait)
    first.write(file | {"strategies": {"slow": {"primary_model": "gpt-4o"}}})
    await in_force(first, 3)
    assert "(version 3" not in second.log()
    second.start()
    await in_force(second, 3)
    assert (await second.chat("slow")).status == 200
    assert (await second.chat("fast")).status == 404


async def test_what_is_in_force_outlives_the_shared_state(
    nodes: tuple[Node, Node, dict[str, Any]], stores: tuple[Valkey, Postgres]
) -> None:
    """After FLUSHALL the nodes put it back, and go on from there; a file that changed while nobody ran is proposed."""
    first, second, file = nodes
    for node in nodes[:2]:
        await in_force(node, 1)
    stores[0].command("FLUSHALL")
    await until(lambda: "it was put back" in first.log() + second.log(), "what was lost")
    for node in (first, second):
        node.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(node.process.wait)
    first.write(file | {"strategies": {"fast": {"primary_model": "gpt-4o"}}})
    for node in (second, first):
        node.start()
    for node in (second, first):
        await in_force(node, 2)
        assert (await node.chat("fast")).status == 200


async def test_what_one_node_is_refused_the_other_does_not_ask_for(
    nodes: tuple[Node, Node, dict[str, Any]], session_twin: Twin
) -> None:
    """The provider refuses for half a minute: the second node knows it without a refusal of its own."""
    first, second, _ = nodes
    for node in (first, second):
        assert (await node.chat("gpt-4o")).status == 200
    session_twin.fault({"fault": "429", "match": {"model": "gpt-4o"}, "retry_after": 3_600})
    try:
        assert (await first.chat("gpt-4o")).status == 429
        await until(lambda: not total(second, "tidegate_lane_open"), "the second node to know")
        before = len(session_twin.calls("gpt-4o"))
        assert (await second.chat("gpt-4o")).status == 429
        assert len(session_twin.calls("gpt-4o")) == before
    finally:
        session_twin.reset()
