"""A tokenizer for the whole run, and twins over real HTTP on free ports."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop

from tests.twin.http import Http
from tidegate.clock import SystemClock
from tidegate.twin.app import Twin
from tidegate.twin.config import convert
from tidegate.twin.tokens import Tokenizer

INSTANT: dict[str, Any] = {"timing": {"ttft_ms": 0, "tpot_ms": 0}}


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """Loading its tables takes most of a second: once."""
    return Tokenizer()


@pytest.fixture
async def twins(tokenizer: Tokenizer) -> AsyncIterator[Callable[..., Awaitable[Twin]]]:
    """Makes twins from the tree of a YAML file; without `timing` they answer at once."""
    running: list[Twin] = []

    async def make(**tree: Any) -> Twin:
        twin = Twin(convert(INSTANT | tree, "twin"), SystemClock(), tokenizer)
        await twin.start()
        running.append(twin)
        return twin

    yield make
    for twin in running:
        twin.close()
    await asyncio.sleep(0.001)  # closed transports let go of their sockets


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., Http]]:
    """Makes raw clients of a twin."""
    made: list[Http] = []

    def make(twin: Twin, key: str = "sk-test") -> Http:
        made.append(Http(twin, key))
        return made[-1]

    yield make
    for client in made:
        client.leave()
    await asyncio.sleep(0.001)


@pytest.fixture
async def twin(twins: Callable[..., Awaitable[Twin]]) -> Twin:
    """A twin with default limits that answers at once."""
    return await twins()


@pytest.fixture
async def http(twin: Twin, clients: Callable[..., Http]) -> Http:
    """Raw requests to `twin`."""
    return clients(twin)


@pytest.fixture
def chat() -> Callable[..., bytes]:
    """A chat body: three words and whatever fields are given."""

    def make(**fields: Any) -> bytes:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "three short words"}]}
        return json.dumps(body | fields).encode()

    return make


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the command runs on."""
    return {"uvloop": uvloop.new_event_loop}
