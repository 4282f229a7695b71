"""Two nodes with one Valkey and one PostgreSQL are one gate for who manages it: keys, purges, configuration, ledger."""

import asyncio
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from harness.gate import HUGE, provider
from harness.servers.postgres import Postgres
from harness.servers.valkey import Valkey
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total
from tests.e2e.test_managed_keys import TOKEN, Admin

APP = "tg-of-the-file"
LANE = 'tidegate_lane_open{model="gpt-4o-mini",'
pytestmark = pytest.mark.timeout(240)  # the first one starts two gates and their stores; one of them starts gates again


class Node(Gate):
    """One of them. It is not ready yet: two begin together."""

    def __init__(self, folder: Path, tree: dict[str, Any]) -> None:
        self.begin(folder, tree)

    def end(self) -> None:
        """It drains and ends; `start` begins it again."""
        self.signal(signal.SIGTERM)
        self.wait_end()
        assert self.process.stdout is not None
        self.process.stdout.close()

    async def status(self, key: str, model: str = "gpt-4o") -> int:
        return (await self.chat(model, headers={"authorization": f"Bearer {key}"})).status


class Office(Admin):
    """Asks one node with the token that either of them showed: they have one database, and one made it."""

    def __init__(self, node: Node, *others: Node) -> None:
        super().__init__(node)
        self.nodes = (node, *others)

    def _token(self) -> str:
        found = [match[1] for node in self.nodes if (match := TOKEN.search(node.log()))]
        return found[0] if found else ""

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        await until(self._token, "the first admin token")
        while True:
            status, data = await asyncio.to_thread(self._ask, self._token(), method, path, body)
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
    limits = {model: {"rpm": HUGE, "tpm": HUGE} for model in ("gpt-4o", "gpt-4o-mini")}
    return {
        "providers": {"openai": provider(twin.url, "sk-managed", limits)},
        "access": {"failures": 0},
        "clients": {"keys": [{"name": "app", "key": APP}]},
        "cluster": {"url": stores[0].url, "prefix": name},
        "ledger": {"database": stores[1].url(name)},
    } | more


@pytest.fixture(scope="module")
def nodes(
    session_twin: Twin, stores: tuple[Valkey, Postgres], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Node, Node, dict[str, Any]]]:
    stores[1].database("nodes")
    file, folder = tree(session_twin, stores, "nodes"), tmp_path_factory.mktemp("nodes")
    first = Node(folder / "a", file)
    second = Node(folder / "b", file)
    try:
        first.wait_ready()
        second.wait_ready()
        yield first, second, file
    finally:
        first.close()
        second.close()


async def in_force(node: Node, version: int) -> None:
    await until(
        lambda: f'"the cluster\'s configuration is in force", "version": {version}' in node.log(), f"version {version}"
    )


async def test_who_manages_one_node_manages_both(nodes: tuple[Node, Node, dict[str, Any]]) -> None:
    """A key made on one opens the other; revoked there it is refused here; a purge arrives; one report has both."""
    first, second, _ = nodes
    here, there = Office(first, second), Office(second, first)
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


async def test_a_configuration_is_in_force_on_all_or_none(
    nodes: tuple[Node, Node, dict[str, Any]], stores: tuple[Valkey, Postgres]
) -> None:
    """A good change of one file holds on both; one that a node cannot use on neither; who was away catches up.

    After FLUSHALL they put it back, and go on from there; a file that changed while nobody ran is proposed.
    """
    first, second, file = nodes
    for node in nodes[:2]:
        await in_force(node, 1)
    more = file | {"strategies": {"fast": {"primary_model": "gpt-4o"}}}
    first.write(more)
    for node in nodes[:2]:
        await in_force(node, 2)
        assert await node.status(APP, "fast") == 200
    (second.config.parent / "mine.pem").write_bytes(trustme.CA().cert_pem.bytes())
    bad = json.loads(json.dumps(more))
    bad["providers"]["openai"]["ca_file"] = "mine.pem"
    second.write(bad)
    await until(lambda: "stays on all nodes" in second.log(), "the refusal")
    assert "the file cannot be read" in second.log()
    await asyncio.to_thread(second.end)
    first.write(file | {"strategies": {"slow": {"primary_model": "gpt-4o"}}})
    await in_force(first, 3)
    assert "(version 3" not in second.log()
    second.start()
    await asyncio.to_thread(second.wait_ready)
    await in_force(second, 3)
    assert await second.status(APP, "slow") == 200
    assert await second.status(APP, "fast") == 404
    stores[0].command("FLUSHALL")
    await until(lambda: "it was put back" in first.log() + second.log(), "what was lost")
    for node in (first, second):
        await asyncio.to_thread(node.end)
    first.write(more)
    for node in (second, first):
        node.start()
    for node in (second, first):
        await asyncio.to_thread(node.wait_ready)
        await in_force(node, 4)
        assert await node.status(APP, "fast") == 200


async def test_a_policy_that_is_applied_on_one_node_acts_on_both(
    nodes: tuple[Node, Node, dict[str, Any]],
) -> None:
    """When it is told it is in force on the other; who looks there sees it, and applies over it."""
    first, second, _ = nodes
    offices = Office(first, second), Office(second, first)
    for at, name in enumerate(("slim", "slender")):
        here, there, node = offices[at], offices[1 - at], (second, first)[at]
        seen = await here.ask("GET", "/policy")
        strategy = {"primary_model": "gpt-4o", "rate_limit_policy": {"max_rpm": 1}}
        change = {"path": ["strategies", name], "value": strategy}
        tried = await here.ask("POST", "/policy/preview", {"base": seen["digest"], "changes": [change]})
        assert tried["errors"] == []
        done = await here.ask("POST", "/policy/apply", {"base": seen["digest"], "text": tried["text"]})
        print(f"in force on both after {done['in_force_after_ms']} ms")
        soon = {"x-tidegate-deadline-ms": "300", "authorization": f"Bearer {APP}"}
        assert [(await node.chat(name, headers=soon)).status for _ in range(2)] == [200, 429]
        shown = await there.ask("GET", "/policy")
        assert (shown["digest"], shown["text"]) == (done["digest"], tried["text"])
    history = await offices[0].ask("GET", "/policy/history")
    assert [one["by"] for one in history[:2]] == ["first", "first"]


async def test_a_policy_that_one_node_cannot_serve_by_is_refused(
    nodes: tuple[Node, Node, dict[str, Any]], session_twin: Twin
) -> None:
    """By its check, or by its workers when all checks have passed: who applied it is told, and nothing changes."""
    first, second, _ = nodes
    office = Office(first, second)
    seen = await office.ask("GET", "/policy")
    (first.config.parent / "ours.pem").write_bytes(trustme.CA().cert_pem.bytes())
    own = {"dialect": "openai", "base_url": session_twin.url, "scopes": [{"name": "own", "keys": ["${HOME}"]}]}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        isolated = [
            {"path": ["providers", "acme"], "value": own},
            {"path": ["namespaces"], "value": {"acme": {"keys": ["${HOME}"], "isolation": {"port": port}}}},
            {"path": ["pools"], "value": {"acme": {"scopes": ["acme/own"], "only": ["acme"]}}},
        ]
        for changes, words in (
            ([{"path": ["providers", "openai", "ca_file"], "value": "ours.pem"}], "the file cannot be read"),
            (isolated, "is in use"),
        ):
            tried = await office.ask("POST", "/policy/preview", {"base": seen["digest"], "changes": changes})
            assert tried["errors"] == []
            sent = {"base": seen["digest"], "text": tried["text"]}
            status, told = await asyncio.to_thread(office._ask, office._token(), "POST", "/policy/apply", sent)
            assert status == 502, told
            problem = json.loads(told)["errors"][0]["problem"]
            print(problem)
            assert words in problem
            for one in (office, Office(second, first)):
                assert (await one.ask("GET", "/policy"))["digest"] == seen["digest"]
    for node in (first, second):
        assert await node.status(APP, "gpt-4o-mini") == 200


async def test_what_one_node_is_refused_the_other_does_not_ask_for(
    nodes: tuple[Node, Node, dict[str, Any]], session_twin: Twin
) -> None:
    """The provider refuses for half a minute: the second node knows it without a refusal of its own."""
    first, second, _ = nodes
    for node in (first, second):
        assert await node.status(APP, "gpt-4o-mini") == 200
    await until(lambda: total(second, LANE) == 1, "its page")
    session_twin.fault({"fault": "429", "match": {"model": "gpt-4o-mini"}, "retry_after": 3_600})
    try:
        assert await first.status(APP, "gpt-4o-mini") == 429
        await until(lambda: total(second, LANE) == 0, "the second node to know")
        before = len(session_twin.calls("gpt-4o-mini"))
        assert await second.status(APP, "gpt-4o-mini") == 429
        assert len(session_twin.calls("gpt-4o-mini")) == before
    finally:
        session_twin.reset()
