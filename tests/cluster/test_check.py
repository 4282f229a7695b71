"""What is refused at the start, each by a real server in that state, with the remedy."""

import re
from collections.abc import AsyncIterator

import pytest

from harness.servers.cluster import Slots as Stand
from tests.servers import Server
from tidegate.clock import SystemClock
from tidegate.cluster import check as checks
from tidegate.cluster.check import Unreached, UnusableStore, check
from tidegate.cluster.client import StoreClient
from tidegate.cluster.url import parse
from tidegate.testing.clock import settle


@pytest.fixture
async def clients() -> AsyncIterator[list[StoreClient]]:
    made: list[StoreClient] = []
    yield made
    for client in made:
        client.close()
    await settle()


async def refusal(clients: list[StoreClient], url: str, prefix: str = "tide") -> UnusableStore:
    clients.append(StoreClient(parse(url), SystemClock(), 1_000_000))
    with pytest.raises(UnusableStore) as caught:
        await check(clients[-1], prefix)
    assert "hush" not in str(caught.value)
    return caught.value


async def test_a_server_as_it_should_be(server: Server, clients: list[StoreClient]) -> None:
    """Which it is, and its version; nothing of the look remains."""
    clients.append(StoreClient(parse(server.url), SystemClock(), 1_000_000))
    found = await check(clients[-1], "tide")
    assert found.server == server.kind
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.version)
    assert all(0 < int(server.command("PTTL", key)) <= 1_000 for key in server.command("KEYS", "*"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"), "set maxmemory-policy noeviction"),
        (("maxmemory", "100mb", "maxmemory-policy", "volatile-ttl"), r"\(maxmemory-policy volatile-ttl\)"),
        (("requirepass", "hush"), "it wants a password; name its user and password in the URL"),
    ],
)
async def test_settings_that_lose_keys_or_let_nobody_in(
    server: Server, clients: list[StoreClient], settings: tuple[str, ...], words: str
) -> None:
    """A memory that is bounded drops no keys; without a bound the policy is nobody's business."""
    server.command("CONFIG", "SET", *settings)
    try:
        assert re.search(words, str(await refusal(clients, server.url)))
    finally:
        secret = server.url.replace("redis://", "redis://:hush@") if "hush" in settings else server.url
        last = StoreClient(parse(secret), SystemClock(), 1_000_000)
        await last.do("CONFIG", "SET", "requirepass", "", "maxmemory", "0")
        found = await check(last, "tide")
        last.close()
    assert found.version, "a policy alone, without a bound, is fine"


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        (("-eval",), "allow it EVAL, EVALSHA, TIME"),
        (("-time",), "allow it EVAL, EVALSHA, TIME"),
        (("-info",), "INFO and its keys (~tide:*)"),
        (("resetkeys", "~other:*"), "INFO and its keys (~tide:*)"),
    ],
)
async def test_a_user_without_the_rights(
    server: Server, clients: list[StoreClient], rights: tuple[str, ...], words: str
) -> None:
    """Whatever it lacks, also within scripts."""
    server.command("ACL", "SETUSER", "gate", "reset", "on", ">hush", "~*", "+@all", *rights)
    refused = await refusal(clients, server.url.replace("redis://", "redis://gate:hush@"))
    assert words in str(refused)
    assert not isinstance(refused, Unreached)


async def test_a_wrong_password(server: Server, clients: list[StoreClient]) -> None:
    """It is not told."""
    server.command("ACL", "SETUSER", "gate", "reset", "on", ">other", "~*", "+@all")
    refused = await refusal(clients, server.url.replace("redis://", "redis://gate:hush@"))
    assert "refuses the user or the password; name its user and password in the URL" in str(refused)


async def test_a_replica_and_a_server_that_is_no_cluster(server: Server, clients: list[StoreClient]) -> None:
    """The URL says what else there is."""
    plain = server.url.removesuffix("/0")
    assert "write redis://HOST:PORT" in str(await refusal(clients, plain.replace("redis:", "redis+cluster:")))
    server.command("REPLICAOF", "127.0.0.1", "1")
    refused = await refusal(clients, server.url)
    server.command("REPLICAOF", "NO", "ONE")
    assert "is a replica; name its primary, or its sentinels" in str(refused)


async def test_nobody_there(server: Server, clients: list[StoreClient], monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead or frozen: then it may be back later, which is another kind of refusal."""
    monkeypatch.setattr(checks, "PATIENCE_US", 100_000)
    server.freeze()
    assert isinstance(await refusal(clients, server.url), Unreached)
    server.kill()
    refused = await refusal(clients, server.url)
    assert isinstance(refused, Unreached)
    assert "it cannot be reached (Connection refused); start it" in str(refused)


async def test_an_old_server_and_one_without_what_scripts_need(
    server: Server, clients: list[StoreClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what it says of itself, and by what its scripts can."""
    info = {"redis_version": "6.2.14", "role": "master"}
    for version, words in (("6.2.14", "is redis 6.2.14; Redis or Valkey 7.0"), ("", "does not tell its version")):
        with pytest.raises(UnusableStore, match=words):
            checks._judge(info | {"redis_version": version}, "single", "redis://h:1")
    clients.append(StoreClient(parse(server.url), SystemClock(), 1_000_000))
    monkeypatch.setattr(checks, "_PROBE", b"return 'cmsgpack'")
    assert "has no cmsgpack in its scripts" in str(await refusal(clients, server.url))


async def test_a_cluster_as_it_should_be_and_as_not(slots: Stand, clients: list[StoreClient]) -> None:
    """A node alone is not the cluster; a slot without a primary is none at all."""
    clients.append(StoreClient(parse(slots.url), SystemClock(), 1_000_000))
    assert (await check(clients[-1], "tide")).server == "redis"
    assert "write redis+cluster://HOST:PORT" in str(await refusal(clients, slots.nodes[0].url))
    evicts = slots.nodes[2]
    evicts.command("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
    assert "noeviction" in str(await refusal(clients, slots.url)), "one of three is enough"
    evicts.command("CONFIG", "SET", "maxmemory", "0")
    for one in slots.nodes:
        one.command("CLUSTER", "DELSLOTS", 1)
    refused = await refusal(clients, slots.url)
    assert isinstance(refused, Unreached)
    assert "slots without a primary" in str(refused)
