"""The stands of a cluster's proofs are what they say: real servers, links and hosts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bench.proofs.cluster.clockstep import ClockStep
from bench.proofs.cluster.hosts import network
from bench.proofs.cluster.proxy import Proxy
from harness.process import NotReady
from harness.servers.cluster import SLOTS, Slots
from harness.servers.redis import REDIS, VALKEY, Server, until
from harness.servers.sentinel import Sentinels


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(VALKEY)
    yield made
    made.close()


def test_a_server_is_killed_and_comes_back_empty(server: Server) -> None:
    """On its port, and nothing is left of it when it is closed."""
    server.command("SET", "a", "1")
    server.kill()
    assert not server.answers()
    server.start()
    assert server.command("GET", "a") is None
    server.close()
    assert not server.home.exists()


def test_a_frozen_server_says_nothing_until_it_thaws(server: Server) -> None:
    """Its connections stand."""
    with redis.Redis(port=server.port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0)) as line:
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            line.ping()
        server.thaw()
        assert line.ping()


def test_a_link_is_cut_without_a_word_and_restored(server: Server) -> None:
    """Nothing passes, and nobody is told; when it is restored everything passes."""
    with Proxy(server) as link, redis.Redis(port=link.port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0)) as line:
        line.set("a", "1")
        link.cut()
        with pytest.raises(redis.TimeoutError):
            while True:  # it takes the word a moment to get there
                line.incr("a")
        before = int(server.command("GET", "a"))
        with pytest.raises(redis.TimeoutError):
            line.incr("a")
        assert int(server.command("GET", "a")) == before
        link.restore()
        line.incr("a")
        assert int(server.command("GET", "a")) > before


def test_sentinels_name_the_replica_when_the_primary_is_gone() -> None:
    """As their URL has it."""
    with Sentinels() as servers:
        assert servers.leader() == servers.primary.port
        assert servers.url.startswith("redis+sentinel://")
        servers.primary.kill()
        until(lambda: servers.leader() == servers.replica.port, "no other primary")


def test_a_cluster_serves_all_slots_from_three_primaries() -> None:
    """Each has its part, and all of them know each other."""
    with Slots() as servers:
        rows = servers.nodes[0].command("CLUSTER", "SLOTS")
        assert sum(row[1] - row[0] + 1 for row in rows) == SLOTS
        assert len(servers.primaries()) == 3
        assert servers.whole()


def test_hosts_are_split_and_joined() -> None:
    """What is cut off the bridge hears nobody; a machine that lets nobody make networks says so."""
    try:
        with network(2) as net:
            one, other = net.hosts
            server = Server(REDIS, "--bind", other.near, other.far, host=other.far, via=other.via)
            try:
                assert reached(one.via, other.near, server.port)
                net.cut(other)
                assert not reached(one.via, other.near, server.port)
                assert server.answers()  # by the way of clients, which is never cut
                net.restore(other)
                assert reached(one.via, other.near, server.port)
            finally:
                server.close()
    except NotReady as reason:
        assert str(reason)  # noqa: PT017 - either way is right


def reached(via: tuple[str, ...], host: str, port: int) -> bool:
    program = f"import socket; socket.create_connection(({host!r}, {port}), 0.4)"
    done = subprocess.run([*via, sys.executable, "-c", program], capture_output=True, check=False)
    return done.returncode == 0


def test_a_clock_is_stepped_under_a_running_process(tmp_path: Path) -> None:
    """The wall clock alone: the monotonic one goes on."""
    clock = ClockStep(tmp_path)
    program = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **clock.place.env},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None

    def now() -> tuple[float, float]:
        child.stdin.write("\n")
        child.stdin.flush()
        wall, monotonic = child.stdout.readline().split()
        return float(wall), float(monotonic)

    before = now()
    clock.step(3_600)
    after = now()
    assert 3_600 <= after[0] - before[0] < 3_660
    assert 0 <= after[1] - before[1] < 60
    child.communicate()
