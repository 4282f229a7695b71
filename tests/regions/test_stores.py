"""One table for every store: what is written is read, a swap happens once, and who does not answer is said so."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from harness.ports import free_ports
from tidegate.regions.open import open_store
from tidegate.regions.store import Store, StoreAway


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    made = open_store(url, uuid.uuid4().hex, 5_000_000)
    yield made
    await made.close()
    await made.close()


async def test_an_exchange_writes_and_reads_in_one(store: Store) -> None:
    """What was put by it stands in what it shows, at its revision."""
    first = await store.exchange({"news/a/1": b"\x00\xff:", "parts/q": b""})
    assert {key: value for key, (_, value) in first.items.items()} == {"news/a/1": b"\x00\xff:", "parts/q": b""}
    assert all(revision == first.revision for revision, _ in first.items.values())
    second = await store.exchange({"news/a/1": b"2"})
    assert second.revision > first.revision
    assert second.items["parts/q"] == first.items["parts/q"]
    assert second.items["news/a/1"] == (second.revision, b"2")


async def test_a_swap_happens_at_one_revision_only(store: Store) -> None:
    """0 = there is nothing yet."""
    assert await store.swap("parts/q", 0, b"1")
    assert not await store.swap("parts/q", 0, b"2")
    view = await store.exchange({})
    at, value = view.items["parts/q"]
    assert value == b"1"
    assert await store.swap("parts/q", at, b"3")
    assert not await store.swap("parts/q", at, b"4")
    assert not await store.drop("parts/q", at)
    at, value = (await store.exchange({})).items["parts/q"]
    assert value == b"3"
    assert await store.drop("parts/q", at)
    assert "parts/q" not in (await store.exchange({})).items


async def test_of_many_who_swap_at_once_one_does(store: Store) -> None:
    """Each other reads another revision."""
    done = await asyncio.gather(*(store.swap("parts/q", 0, b"%d" % number) for number in range(20)))
    assert sum(done) == 1


async def test_two_prefixes_do_not_see_each_other(url: str) -> None:
    """So that several groups of regions may share a store."""
    name = uuid.uuid4().hex
    one, other = open_store(url, name, 5_000_000), open_store(url, f"{name}0", 5_000_000)
    await one.exchange({"news/a/1": b"1"})
    assert (await other.exchange({})).items == {}
    await one.close()
    await other.close()


@pytest.mark.parametrize("scheme", ["etcd+http", "redis"])
async def test_nobody_there_is_said_without_a_secret(scheme: str) -> None:
    """It raises one error, whatever it is."""
    (port,) = free_ports(1)
    store = open_store(f"{scheme}://user:s3cret@127.0.0.1:{port}", "p", 200_000)
    for asked in (store.exchange({}), store.swap("k", 0, b""), store.drop("k", 1)):
        with pytest.raises(StoreAway) as refused:
            await asked
        assert "s3cret" not in str(refused.value)
    await store.close()


async def test_a_member_that_is_away_is_passed_over(request: pytest.FixtureRequest) -> None:
    """The next one of the list answers."""
    etcd = request.getfixturevalue("etcd")
    (port,) = free_ports(1)
    store = open_store(f"etcd+http://127.0.0.1:{port},127.0.0.1:{etcd.port}", uuid.uuid4().hex, 5_000_000)
    assert await store.swap("k", 0, b"1")
    assert (await store.exchange({})).items["k"][1] == b"1"
    await store.close()


async def test_what_is_no_etcd_is_said() -> None:
    """Something else listens there."""

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    store = open_store(f"etcd+http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "p", 1_000_000)
    with pytest.raises(StoreAway):
        await store.exchange({})
    await store.close()
    server.close()
    await server.wait_closed()
