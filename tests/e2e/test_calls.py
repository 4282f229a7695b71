"""A call's chain from a real gate: what it met is in the ledger, found by its trace, followed while control dies."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import DEADLINE, until
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import Admin

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LIMITS = {name: {"rpm": 100_000, "tpm": 60_000_000} for name in ("gpt-4o", "gpt-4o-mini")}


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    models = [{"name": name} for name in LIMITS]
    made = Twin(tmp_path / "twin", {"models": models, "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 5}})
    yield made
    made.close()


@pytest.fixture
def gate(tmp_path: Path, twin: Twin) -> Iterator[Gate]:
    strategy = {
        "primary_model": "gpt-4o",
        "fallback_models": [{"model": "gpt-4o-mini"}],
        "retry_policy": {"max_retries": 1},
    }
    tree = {"providers": {"openai": provider(twin.url, "sk-a", LIMITS)}, "strategies": {"smart": strategy}}
    made = Gate(tmp_path / "gate", tree)
    yield made
    made.close()


async def test_the_chain_of_a_call(gate: Gate, twin: Twin) -> None:
    """Refused, moved and answered: whose key, which headers, in which order; and every call that ended is told once."""
    admin = Admin(gate)
    assert (await gate.chat("smart")).status == 200
    first = await until_there(admin, "/calls", 1)
    news = await admin.ask("GET", "/calls/tail")
    assert [one["id"] for one in news["calls"]] == [first[0]["id"]]
    twin.fault({"fault": "429", "match": {"model": "gpt-4o"}, "retry_after_ms": 30})
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    answer = await gate.chat("smart", headers={"traceparent": parent, "x_request_id": "night-1"})
    assert answer.status == 200
    (found,) = await until_there(admin, f"/calls?trace={TRACE}", 1)
    assert (found["request_id"], found["served"], found["why"]) == ("night-1", "gpt-4o-mini", "rate moved")
    assert [one["id"] for one in (await admin.ask("GET", "/calls?fell_back=true&reason=rate"))["calls"]] == [
        found["id"]
    ]
    shown = await admin.ask("GET", f"/calls/{found['id']}")
    stages = [one["stage"] for one in shown["stages"]]
    assert [one for one in stages if one != "chosen"] == ["read", "attempt", "moved", "attempt", "end"]
    attempt = next(one for one in shown["stages"] if one["stage"] == "attempt")
    assert attempt["figures"]["account"] == found["account"]
    assert any(line.startswith("retry-after") for line in attempt["headers"])
    assert all(one["at_us"] >= 0 for one in shown["stages"])
    sent = [dict(call["headers"]).get("traceparent", "") for call in twin.calls(full=True)]
    assert [one[:36] for one in sent] == ["", f"00-{TRACE}-", f"00-{TRACE}-"]
    assert len({*sent, parent}) == 4
    control = gate.children()["control"]
    os.kill(control, signal.SIGKILL)
    assert (await gate.chat("smart")).status == 200
    await until(lambda: gate.children().get("control") not in (None, control), "another control process")
    seen = await followed(admin, news["next"], 2)
    assert seen[0]["id"] == found["id"]
    assert len({one["id"] for one in seen}) == 2


async def until_there(admin: Admin, path: str, count: int) -> list[dict[str, Any]]:
    """The calls of a page, once there are so many: the ledger is a moment behind."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE):
        while len(found) < count:
            found = (await admin.ask("GET", path))["calls"]
    return found


async def followed(admin: Admin, cursor: str, count: int) -> list[dict[str, Any]]:
    """What ended since, once there is so much of it."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE):
        while len(found) < count:
            with contextlib.suppress(OSError):  # control has not begun
                news = await admin.ask("GET", f"/calls/tail?after={cursor}")
                cursor = news["next"]
                found += news["calls"]
    return found
