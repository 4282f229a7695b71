"""A worker among the others: how it begins, what it remembers, how it ends."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.servers import Server, redis, redis_process, server, valkey, valkey_process
from tidegate.clock import SystemClock
from tidegate.cluster import check, claims, remembered
from tidegate.cluster.check import Unreached, UnusableStore
from tidegate.model.cluster import ClusterSettings
from tidegate.observe.log import Log
from tidegate.policy.lease.faces import CLOSED, LOCAL, SHARED
from tidegate.testing.clock import settle
from tidegate.worker import shared as rooms
from tidegate.worker.shared import ClusterMember

__all__ = ["redis", "redis_process", "server", "valkey", "valkey_process"]

Made = Callable[..., ClusterMember]


@pytest.fixture
async def made(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Made]:
    """A worker of a gate whose state directory has this name."""
    workers: list[ClusterMember] = []
    monkeypatch.setattr(check, "PATIENCE_US", 500_000)
    monkeypatch.setattr(rooms, "JOIN_US", 500_000)
    monkeypatch.setattr(rooms, "TEND_US", 100_000)
    monkeypatch.setattr(claims, "LIFE_US", 300_000)

    def make(gate: str = "one", worker: int = 0, **settings: str) -> ClusterMember:
        said = ClusterSettings(**{"url": server.url, "prefix": "t", "node": "n"} | settings, timeout_us=500_000)
        state, own = tmp_path / gate, tmp_path / gate / str(worker)
        own.mkdir(parents=True, exist_ok=True)
        workers.append(ClusterMember(said, state, own, worker, SystemClock(), Log("worker")))
        return workers[-1]

    yield make
    for one in workers:
        one._membership.stop()
        one.client.close()
    await settle()


async def test_it_joins_and_leaves(server: Server, made: Made, tmp_path: Path) -> None:
    """Its name is its own until it leaves; which cluster it was is written down."""
    first, second = made(), made(worker=1)
    await first.start()
    await second.start()
    assert first.footing.member == "n/0"
    assert first.footing.mode == second.footing.mode == SHARED
    meter = second.meter()
    assert (meter.mode, meter.members) == ("shared", 2)
    assert meter.commands > 2
    assert claims.identity_of(tmp_path / "one", "").cluster
    await first.leave()
    assert server.command("HEXISTS", "t:{members}:claim", "member n/0") == 0
    assert server.command("HEXISTS", "t:{members}:claim", "member n/1") == 1


async def test_two_gates_of_one_name_are_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one; not, when the first one has been silent for as long as a claim lives."""
    first, second = made("one"), made("two")
    with monkeypatch.context() as patient:
        patient.setattr(claims, "LIFE_US", 60_000_000)
        await first.start()
    second._clock = Renewing(first)
    with pytest.raises(UnusableStore, match=r"^cluster\.node: another gate is the node n of the cluster t at redis://"):
        await second.start()
    third = made("two")
    await third.start()
    assert third.footing.mode == SHARED


class Renewing(SystemClock):
    """While somebody waits, the other one tends its claim."""

    __slots__ = ("_other",)

    def __init__(self, other: ClusterMember) -> None:
        super().__init__()
        self._other = other

    async def sleep(self, duration: int) -> None:
        await super().sleep(duration)
        await self._other._renew()


async def test_another_clusters_prefix_is_refused(made: Made, server: Server) -> None:
    """A gate that was of another cluster; and one that is of another version."""
    first = made("one")
    await first.start()
    await first.leave()
    server.command("HSET", "t:{members}:claim", "cluster", "theirs")
    with pytest.raises(
        UnusableStore, match=r"^cluster\.prefix: t at redis://.* belongs to another cluster; take another"
    ):
        await made("one").start()
    server.command("HSET", "t:{members}:claim", "format", 99)
    with pytest.raises(
        UnusableStore, match=r"^cluster\.prefix: .* by another version of the gate \(format 99\); upgrade"
    ):
        await made("two").start()


async def test_who_never_reached_it_is_refused_and_who_did_goes_on(made: Made, server: Server, tmp_path: Path) -> None:
    """A restart while the server is away: with the part that was its own; without one it refuses calls."""
    server.kill()
    with pytest.raises(Unreached, match="it cannot be reached"):
        await made("one").start()
    server.start()
    first = made("one")
    await first.start()
    known = remembered.load(tmp_path / "one" / "0")
    assert known is not None
    assert (known.member, known.share_ppm, known.members) == ("n/0", 1_000_000, 1)
    server.kill()
    again, other = made("one"), made("one", worker=1)
    await again.start()
    await other.start()
    assert (again.footing.mode, again.footing.share_ppm) == (LOCAL, 1_000_000)
    assert other.footing.mode == CLOSED
    server.start()
    while again.footing.mode != SHARED:
        await again._clock.sleep(10_000)
    assert again.meter().mode == "shared"


async def test_a_bad_url_is_refused_at_once(made: Made) -> None:
    """Before anything is dialled."""
    with pytest.raises(ValueError, match=r"^cluster\.url: "):
        made(url="redis://")
