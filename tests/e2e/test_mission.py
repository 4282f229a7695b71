"""The mission's policy as it stands, `execution_mode: async` on a Redis that is not there."""

import asyncio
import json
import signal
import socket
from collections.abc import Callable

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.config.texts import MISSION
from tests.e2e.stand import Gate
from tests.twin.http import Answer

_PLENTY = {"rpm": HUGE, "tpm": HUGE}
_PATIENCE = 60  # seconds for the desk to come up; only a failure takes as long
_REDIS = "redis://localhost:6379/0"


def mission(twin: Twin, broker: str) -> str:
    """Its text, with a provider and another Redis. A model beside its strategy is answered at once."""
    limits = {"gpt-4o": _PLENTY, "gpt-4o-mini": _PLENTY}
    assert _REDIS in MISSION
    providers = json.dumps({"openai": provider(twin.url, "sk-main", limits)})
    return f"providers: {providers}\n{MISSION.replace(_REDIS, broker)}"


def nobody() -> str:
    """A Redis that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


async def patient(gate: Gate, **headers: str) -> Answer:
    """A call of the strategy, as soon as somebody takes patient work."""
    async with asyncio.timeout(_PATIENCE):
        while (answer := await gate.chat("gpt-4o", headers=headers)).status == 503:
            await asyncio.sleep(0.05)  # its process is still starting
    return answer


async def test_it_starts_and_serves_though_its_broker_is_away(gates: Callable[..., Gate], twin: Twin) -> None:
    """Calls that are answered at once are; patient ones are kept, and told by name when their time is over."""
    gate = gates(mission(twin, nobody()))
    assert (await gate.chat("gpt-4o-mini")).status == 200
    told = await patient(gate, prefer="respond-async")
    assert told.status == 202
    assert told.json["state"] == "queued"
    held = await patient(gate, **{"x-tidegate-deadline-ms": "300"})
    assert held.status == 504
    assert held.headers["x-tidegate-job"].startswith("job_")
    assert held.headers["x-should-retry"] == "false"
    assert (await gate.chat("gpt-4o-mini")).status == 200
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0
    assert "did not drain in time" not in gate.log()
