"""Each engine in turn."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

from harness.servers.broker import Broker
from tests.brokers import rabbitmq, rabbitmq_server, redis_broker, redis_server
from tests.jobs.engines.stand import Stand
from tests.jobs.run.standin import Standin

__all__ = ["rabbitmq", "rabbitmq_server", "redis_broker", "redis_server"]
BROKERS = {"redis": "redis_broker", "rabbitmq": "rabbitmq"}


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What runners run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def gate() -> AsyncIterator[Standin]:
    standin = Standin()
    yield standin
    await standin.close()


@pytest.fixture(params=["embedded", *BROKERS])
async def stand(request: pytest.FixtureRequest, tmp_path: Path, gate: Standin) -> AsyncIterator[Stand]:
    """Without a runner yet."""
    fixture = BROKERS.get(request.param)
    broker: Broker | None = request.getfixturevalue(fixture) if fixture else None
    made = Stand(tmp_path, broker, await gate.at_port(), gate)
    yield made
    await made.close()
    gc.collect()
