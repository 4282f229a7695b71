"""Real Redis and Valkey servers for tests: `from tests.servers import redis, valkey …` in a conftest.

One of each for all tests of a process, started when the first asks. A test that freezes, kills or configures a server
leaves it so: the next one finds it thawed, running, empty and as it was.
"""

import contextlib
import shutil
from collections.abc import Iterator

import pytest

from harness.servers import prometheus
from harness.servers.cluster import Slots
from harness.servers.redis import REDIS, VALKEY, Server
from harness.servers.sentinel import Sentinels
from harness.servers.valkey import Valkey

__all__ = [
    "Server", "mortal_valkey", "redis", "redis_process", "sentinels", "server", "slots", "valkey", "valkey_process",
]  # fmt: skip


def installed() -> None:
    """Skip where Redis is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")


def revived(one: Server) -> Server:
    """It runs, knows nothing and is as it was made."""
    if one.process is None or one.process.poll() is not None:
        one.start()
    one.thaw()
    with contextlib.suppress(Exception):  # a password of the last test
        one.command("ACL", "SETUSER", "default", "reset", "on", "nopass", "~*", "&*", "+@all")
    one.command("FLUSHALL")
    one.command("SCRIPT", "FLUSH")
    one.command("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction", "requirepass", "")
    return one


def needs_prometheus() -> None:
    """Skip where Prometheus and its tool are not installed."""
    if not prometheus.installed():
        pytest.skip("prometheus is not installed: apt-get install prometheus")


@pytest.fixture(scope="session")
def redis_process() -> Iterator[Server]:
    """Redis as the system has it: on Debian 7.0.15."""
    installed()
    made = Server(REDIS)
    yield made
    made.close()


@pytest.fixture(scope="session")
def valkey_process() -> Iterator[Server]:
    """Valkey, of the wheel."""
    made = Server(VALKEY)
    yield made
    made.close()


@pytest.fixture
def redis(redis_process: Server) -> Server:
    """As `revived`."""
    return revived(redis_process)


@pytest.fixture
def valkey(valkey_process: Server) -> Server:
    """As `revived`."""
    return revived(valkey_process)


@pytest.fixture
def mortal_valkey() -> Iterator[Valkey]:
    """One of the test's own, on a socket, to stop and to kill."""
    made = Valkey()
    yield made
    made.close()


@pytest.fixture(params=["redis", "valkey"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each in turn."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    """A primary, a replica and three sentinels, of this test alone."""
    installed()
    with Sentinels() as made:
        yield made


@pytest.fixture
def slots() -> Iterator[Slots]:
    """A Redis Cluster of three primaries with a replica each, of this test alone."""
    installed()
    with Slots() as made:
        yield made
