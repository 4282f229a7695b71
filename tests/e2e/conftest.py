"""One twin and one gate for the whole run; each test gets models, and so quotas, that no other test has used."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.e2e.stand import Gate

PLACES = 200
MISSION_KEY = "sk-mission"
MISSION_LIMITS = {"rpm": 3_000, "tpm": 150_000}
TWIN_TREE: dict[str, Any] = {
    "limits": {"rpm": HUGE, "tpm": HUGE},
    "organisations": [
        {
            "name": "mission",
            "keys": [MISSION_KEY],
            "limits": {"gpt-4o": MISSION_LIMITS, "gpt-3.5-turbo": MISSION_LIMITS},
        },
    ],
    "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 20, "chunk_ms": 2, "chunk_tokens": 1},
    "models": [
        *({"name": name} for name in ("gpt-4o", "gpt-3.5-turbo", "gpt-4o-mini", "persistent", "small", "narrow")),
        {"name": "text-embedding-3-small", "kind": "embedding"},
        *({"name": f"{kind}{number}"} for kind in ("first", "second", "alone", "hasty") for number in range(PLACES)),
    ],
}
UNLIMITED = {"rpm": HUGE, "tpm": HUGE}
NARROW = {"small": {"rpm": 1_000, "tpm": 1_000}, "narrow": {"rpm": 1_000, "tpm": 1_000}}
PERSISTENT = {"max_retries": 20, "base_seconds": 0.1, "backoff_multiplier": 1, "budget_floor": 1_000}
RETRIES = {"max_retries": 3, "base_seconds": 0.02, "budget_floor": 1_000}


@dataclass(frozen=True)
class Place:
    """Models that only one test uses, and so lanes, health, retry budget of its own.

    `strategy` tries `first`, then `second`, which is another account's; `alone` has no fallback, and neither has
    `hasty`, whose provider has 1 s for a first byte and between two.
    """

    strategy: str
    first: str
    second: str
    alone: str
    hasty: str


def gate_tree(twin: Twin) -> dict[str, Any]:
    known = ("gpt-4o", "gpt-3.5-turbo", "gpt-4o-mini", "text-embedding-3-small", "unknown-upstream", "persistent")
    models: dict[str, Any] = {f"{kind}{number}": {} for kind in ("first", "alone") for number in range(PLACES)}
    spare: dict[str, Any] = {f"second{number}": {} for number in range(PLACES)}
    hasty: dict[str, Any] = {f"hasty{number}": {} for number in range(PLACES)}
    timeouts = {"first_byte_seconds": 1, "idle_seconds": 1}
    strategies: dict[str, Any] = {
        f"strategy{number}": {"primary_model": f"first{number}", "fallback_models": [{"model": f"second{number}"}]}
        for number in range(PLACES)
    }
    strategies["assistant"] = {"primary_model": "gpt-4o"}
    strategies["detour"] = {"primary_model": "unreachable", "fallback_models": [{"model": "gpt-4o"}]}
    for strategy in strategies.values():
        strategy["retry_policy"] = RETRIES
    strategies["insistent"] = {"primary_model": "persistent", "retry_policy": PERSISTENT}
    return {
        "providers": {
            "openai": provider(twin.url, "sk-main", dict.fromkeys(known, UNLIMITED) | NARROW, models=models),
            "spare": provider(twin.url, "sk-spare", models=spare),
            "hasty": provider(twin.url, "sk-hasty", models=hasty, timeouts=timeouts),
            "dead": provider("http://127.0.0.1:1", "sk-dead", models={"unreachable": {}, "nowhere": {}}),
        },
        "strategies": strategies,
        "defaults": {"retry_policy": RETRIES},
    }


@pytest.fixture(scope="session")
def session_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    twin = Twin(tmp_path_factory.mktemp("twin"), TWIN_TREE)
    yield twin
    twin.close()


@pytest.fixture(scope="session")
def session_gate(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    gate = Gate(tmp_path_factory.mktemp("gate"), gate_tree(session_twin))
    gate.wait_log("FIRST ADMIN TOKEN")  # the last thing that a start has to say
    yield gate
    gate.close()


@pytest.fixture(scope="session")
def numbers_of_places() -> Iterator[int]:
    return iter(range(PLACES))


@pytest.fixture
def twin(session_twin: Twin) -> Iterator[Twin]:
    """The judge with empty books and no faults."""
    session_twin.reset()
    yield session_twin
    session_twin.fault()


@pytest.fixture
def gate(session_gate: Gate, twin: Twin) -> Iterator[Gate]:
    """The gate in front of it. Whatever a test does to it, afterwards the same worker has nothing to complain of."""
    worker, logged = session_gate.worker, len(session_gate.log())
    yield session_gate
    assert session_gate.worker == worker
    assert session_gate.log()[logged:] == ""


@pytest.fixture
def place(numbers_of_places: Iterator[int]) -> Place:
    number = next(numbers_of_places)
    return Place(*(f"{kind}{number}" for kind in ("strategy", "first", "second", "alone", "hasty")))


@pytest.fixture
def places(numbers_of_places: Iterator[int]) -> Iterator[Place]:
    """As many as a test wants."""
    return (
        Place(*(f"{kind}{number}" for kind in ("strategy", "first", "second", "alone", "hasty")))
        for number in numbers_of_places
    )


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Callable[[dict[str, Any] | str], Gate]]:
    """Makes gates with a configuration of their own."""
    made: list[Gate] = []

    def make(tree: dict[str, Any] | str) -> Gate:
        made.append(Gate(tmp_path / f"gate{len(made)}", tree))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


@pytest.fixture
def gate_apart(gates: Callable[[dict[str, Any] | str], Gate], twin: Twin) -> Gate:
    """Another gate like `gate`, for what closes a whole account: a bill, a credential."""
    return gates(gate_tree(twin))


@pytest.fixture
def keys() -> Iterator[str]:
    """Provider keys, each an organisation of its own at the twin."""
    return (f"sk-own-{number}" for number in count())


def sdk(url: str, key: str = "sk-application", **options: Any) -> openai.OpenAI:
    """The official client as an application makes it; without certificates, which cost 0.3 s and are not used here."""
    http = openai.DefaultHttpxClient(verify=False)
    return openai.OpenAI(base_url=url, api_key=key, http_client=http, **{"max_retries": 0} | options)


@pytest.fixture
def client(gate: Gate) -> Iterator[openai.OpenAI]:
    with sdk(gate.url) as client:
        yield client


@pytest.fixture
async def aclient(gate: Gate) -> AsyncIterator[openai.AsyncOpenAI]:
    http = openai.DefaultAsyncHttpxClient(verify=False)
    async with openai.AsyncOpenAI(
        base_url=gate.url, api_key="sk-application", max_retries=0, http_client=http
    ) as client:
        yield client


@pytest.fixture
def wall() -> Callable[[], int]:
    """Microseconds since 1970, as the twin writes them into its log."""
    return lambda: time.time_ns() // 1_000
