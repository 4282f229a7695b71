"""Sentinels and Redis Cluster: where a command goes while servers fail over and slots move."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from harness.servers.cluster import Slots as Stand
from harness.servers.sentinel import Sentinels
from tests.cluster.scripts import ECHO
from tests.servers import Server
from tidegate.clock import SystemClock
from tidegate.cluster.call import Call
from tidegate.cluster.client import StoreClient
from tidegate.cluster.failure import AWAY, Failure
from tidegate.cluster.slots import slot_of
from tidegate.cluster.url import parse
from tidegate.testing.clock import settle

TIMEOUT_US = 500_000
KEYS = [f"{{{one}}}:k" for one in range(40)]  # on all three servers

Made = Callable[[str], StoreClient]


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    clients: list[StoreClient] = []

    def make(url: str) -> StoreClient:
        clients.append(StoreClient(parse(url), SystemClock(), TIMEOUT_US))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
    await settle()


async def answered(client: StoreClient, keys: list[str]) -> list[bytes]:
    """Ask until everybody answers: the test's own time-out bounds it."""
    while True:
        answers = await client.run([Call(ECHO, key, key.encode()) for key in keys])
        good = [answer for answer in answers if isinstance(answer, bytes)]
        if len(good) == len(keys):
            return good


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"123456789", 12739), (b"{user1000}.following", 3443), (b"{user1000}.followers", 3443), (b"foo{}{bar}", 8363),
     (b"foo{{bar}}zap", 4015), (b"foo{bar}{zap}", 5061), (b"", 0)],
)  # fmt: skip
def test_slots_are_those_of_the_specification(key: bytes, slot: int) -> None:
    """CRC-16 of the hash tag: the examples of redis.io, Cluster specification, as CLUSTER KEYSLOT tells them."""
    assert slot_of(key) == slot


async def test_sentinels_name_the_primary_and_the_next_one(sentinels: Sentinels, made: Made) -> None:
    """When the primary dies, what the sentinels put in its place is followed. A name that they do not know is said."""
    client = made(sentinels.url)
    assert await answered(client, ["k"]) == [b"k"]
    assert sentinels.primary.command("GET", "k") == "1"
    with pytest.raises(Failure, match="no sentinel knows a primary of the name other"):
        await made(sentinels.url.replace("/quota", "/other")).do("PING")
    sentinels.sentinels[0].kill()
    sentinels.primary.kill()
    (answer,) = await client.run([Call(ECHO, "k", b"")])
    assert isinstance(answer, Failure)
    assert answer.kind == AWAY
    assert await answered(client, ["k"]) == [b"k"]
    while sentinels.leader() != sentinels.replica.port:  # the first that lives may hear of it last
        await answered(client, ["k"])
    assert int(sentinels.replica.command("GET", "k")) >= 2


async def test_a_demoted_primary_is_left(sentinels: Sentinels, made: Made) -> None:
    """A failover that is asked for: the connection to what is a replica now is given up, and nothing is refused."""
    client = made(sentinels.url)
    await answered(client, ["k"])
    sentinels.sentinels[0].command("SENTINEL", "FAILOVER", "quota")
    while sentinels.leader() != sentinels.replica.port:
        await answered(client, ["k"])
    assert await answered(client, ["k"]) == [b"k"]


async def test_nobody_to_ask(made: Made) -> None:
    """Neither a sentinel nor a node can be reached."""
    with pytest.raises(Failure, match="no sentinel can be asked"):
        await made("redis+sentinel://127.0.0.1:1,127.0.0.1:2/m").do("PING")
    with pytest.raises(Failure, match="cannot be reached"):
        await made("redis+cluster://127.0.0.1:1").do("GET", "k")


async def test_a_cluster_is_followed_through_everything(slots: Stand, made: Made) -> None:
    """Each key to its own server; slots that move, are moving, and servers that die are followed."""
    client = made(slots.url)
    assert await answered(client, KEYS) == [key.encode() for key in KEYS]
    owners = {key: _owner(slots, key) for key in KEYS}
    assert len({one.port for one in owners.values()}) == 3, "keys of all servers"
    assert len(await client.everywhere("PING")) == 3
    await _move(slots, KEYS[0], client)
    await _die(slots, owners[KEYS[1]], client)


async def _move(stand: Stand, key: str, client: StoreClient) -> None:
    """First ASK, while the slot moves, then MOVED."""
    slot = slot_of(key.encode())
    source = _owner(stand, key)
    target = next(one for one in stand.primaries() if one is not source)
    ids = {one.port: str(one.command("CLUSTER", "MYID")) for one in (source, target)}
    target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
    new = f"{key[: key.index('}') + 1]}:new"
    assert await answered(client, [new]) == [new.encode()]
    assert target.command("CLUSTER", "COUNTKEYSINSLOT", slot) == 1, "what is new goes to where the slot goes"
    source.command("MIGRATE", "127.0.0.1", target.port, key, 0, 2_000)
    for one in stand.primaries():
        one.command("CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])
    line = await client.line(key.encode())
    line.close()
    assert await answered(client, [key, new]) == [key.encode(), new.encode()]


async def _die(stand: Stand, one: Server, client: StoreClient) -> None:
    """Its keys fail at once, the others' do not; then its replica has them."""
    one.kill()
    answers = await client.run([Call(ECHO, key, key.encode()) for key in KEYS])
    assert any(isinstance(answer, Failure) for answer in answers)
    assert any(isinstance(answer, bytes) for answer in answers)
    assert await asyncio.wait_for(answered(client, KEYS), 30) == [key.encode() for key in KEYS]


def _owner(stand: Stand, key: str) -> Server:
    slot = slot_of(key.encode())
    rows = stand.nodes[0].command("CLUSTER", "SLOTS")
    found = rows if isinstance(rows, list) else [[*span, *row["primary"]] for span, row in rows.items()]
    for row in found:
        if int(row[0]) <= slot <= int(row[1]):
            port = int(row[2][1] if isinstance(row[2], list) else row[3])
            return next(one for one in stand.nodes if one.port == port)
    raise AssertionError(rows)
