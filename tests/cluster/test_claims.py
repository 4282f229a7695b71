"""Whose a prefix is, and a member's name in it: by the script in real servers, and by what a gate writes down."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers import Server
from tidegate.clock import SystemClock
from tidegate.cluster import claims
from tidegate.cluster.claims import OK, OTHER, OTHER_FORMAT, TAKEN, Identity, Verdict, claim_of, identity_of, verdict_of
from tidegate.cluster.client import StoreClient
from tidegate.cluster.url import parse
from tidegate.testing.clock import settle

MARKER = "t:{members}:claim"


@pytest.fixture
async def client(server: Server) -> AsyncIterator[StoreClient]:
    made = StoreClient(parse(server.url), SystemClock(), 5_000_000)
    yield made
    made.close()
    await settle()


async def claim(
    client: StoreClient, identity: Identity, member: str = "n/0", fresh: str = "new", *, leaving: bool = False
) -> Verdict:
    (said,) = await client.run([claim_of("t", identity, member, fresh, leaving=leaving)])
    assert isinstance(said, bytes)
    return verdict_of(said)


async def test_the_first_who_comes_names_the_cluster(client: StoreClient, server: Server) -> None:
    """Everybody after it is told the name; the marker goes when nobody renews it for a month."""
    assert (await claim(client, Identity("a"), fresh="ours")).cluster == "ours"
    second = await claim(client, Identity("b"), "m/0", fresh="theirs")
    assert (second.status, second.cluster, second.format) == (OK, "ours", claims.FORMAT)
    assert 0 < int(server.command("PTTL", MARKER)) <= 30 * 86_400_000


async def test_a_name_is_one_gates(client: StoreClient, server: Server) -> None:
    """While it renews it, until it leaves, or is silent for `LIFE_US`; its own next process may have it at once."""
    assert (await claim(client, Identity("a"))).status == OK
    assert (await claim(client, Identity("b"))).status == TAKEN
    assert (await claim(client, Identity("a"))).status == OK
    assert (await claim(client, Identity("b"), "n/1")).status == OK
    assert (await claim(client, Identity("a"), leaving=True)).status == OK
    assert (await claim(client, Identity("b"))).status == OK
    server.command("HSET", MARKER, "member n/0", f"b {(await claim(client, Identity('b'))).now}")
    assert (await claim(client, Identity("a"))).status == OK, "its time is over"


async def test_another_cluster_and_another_format_are_told_apart(client: StoreClient, server: Server) -> None:
    """A gate that remembers its cluster takes no other one for it; what was lost comes back from who remembers."""
    await claim(client, Identity("a"), fresh="ours")
    assert (await claim(client, Identity("b", "theirs"), "m/0")).status == OTHER
    server.command("FLUSHALL")
    assert (await claim(client, Identity("b", "theirs"), "m/0")).cluster == "theirs"
    server.command("HSET", MARKER, "format", claims.FORMAT + 1)
    verdict = await claim(client, Identity("b", "theirs"), "m/0")
    assert (verdict.status, verdict.format) == (OTHER_FORMAT, claims.FORMAT + 1)


def test_all_workers_of_a_gate_are_of_one_home(tmp_path: Path) -> None:
    """Whoever writes it first; it lasts, and a file that cannot be read is written anew."""
    found: list[Identity] = []
    threads = [
        threading.Thread(target=lambda word=str(one): found.append(identity_of(tmp_path, word))) for one in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.home for one in found}) == 1
    claims.remember(tmp_path, Identity(found[0].home, "ours"))
    assert identity_of(tmp_path, "other") == Identity(found[0].home, "ours")
    assert [path.name for path in tmp_path.iterdir()] == [claims.NAME]
    (tmp_path / claims.NAME).write_bytes(b"{")
    assert identity_of(tmp_path, "other") == Identity("other")
    assert identity_of(tmp_path, "later") == Identity("other")
