"""A tokenizer for the whole run, and twins over real HTTP on free ports."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

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


@pytest.fixture
async def twin(twins: Callable[..., Awaitable[Twin]]) -> Twin:
    """A twin with default limits that answers at once."""
    return await twins()


@pytest.fixture
async def http(twin: Twin) -> AsyncIterator[Http]:
    """Raw requests to `twin`."""
    client = Http(twin)
    yield client
    client.close()


@pytest.fixture
def chat() -> Callable[..., bytes]:
    """A chat body: three words and whatever fields are given."""

    def make(**fields: Any) -> bytes:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "three short words"}]}
        return json.dumps(body | fields).encode()

    return make
