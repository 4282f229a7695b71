"""Real brokers for tests: `from tests.brokers import rabbitmq, redis_broker …` in a conftest.

One of each for all tests of a process, started when the first asks. Tests keep apart by the names of their queues; one
that kills, freezes or empties a broker leaves it running and empty.
"""

from collections.abc import Iterator

import pytest

from harness.servers import rabbitmq as rabbit
from harness.servers.broker import Broker, RedisBroker
from harness.servers.rabbitmq import RabbitMq

__all__ = ["broker", "rabbitmq", "rabbitmq_server", "redis_broker", "redis_server"]


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisBroker]:
    """A Valkey server with a port and a password."""
    server = RedisBroker()
    yield server
    server.close()


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMq]:
    """As the system has it installed; on Debian, its package is enough."""
    if not rabbit.installed():
        pytest.skip("rabbitmq-server is not installed: apt-get install rabbitmq-server")
    server = RabbitMq()
    yield server
    server.close()


@pytest.fixture
def redis_broker(redis_server: RedisBroker) -> Iterator[Broker]:
    """It runs, also when the test before left it otherwise."""
    redis_server.revive()
    yield redis_server
    redis_server.revive()


@pytest.fixture
def rabbitmq(rabbitmq_server: RabbitMq) -> Iterator[Broker]:
    """It runs, also when the test before left it otherwise."""
    rabbitmq_server.revive()
    yield rabbitmq_server
    rabbitmq_server.revive()


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each in turn."""
    name = "redis_broker" if request.param == "redis" else "rabbitmq"
    found: Broker = request.getfixturevalue(name)
    return found
