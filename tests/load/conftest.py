"""A real twin in this process."""

from collections.abc import AsyncIterator

import pytest

from tidegate.clock import SystemClock
from tidegate.twin.app import Twin
from tidegate.twin.settings import Limits, Settings, Spread, Timing
from tidegate.twin.tokens import Tokenizer

FAST = Timing(ttft_ms=Spread(1.0), tpot_ms=Spread(0.0))


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
async def twin(tokenizer: Tokenizer) -> AsyncIterator[Twin]:
    """100 requests and a million tokens a minute; answers at once."""
    twin = Twin(Settings(limits=Limits(rpm=100, tpm=1_000_000), timing=FAST), SystemClock(), tokenizer)
    await twin.start()
    yield twin
    twin.close()
