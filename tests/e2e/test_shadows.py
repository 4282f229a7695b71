"""Shadow traffic with real processes: summed in the database whatever is killed, and shown."""

import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate
from tests.e2e.test_drills import command
from tests.e2e.test_managed_keys import Admin
from tidegate.model.shadow import Compared

SAY = [{"model": "main", "say": "A refund takes 7 days."}, {"model": "new", "say": "A refund takes 9 days."}]
CALLS = 6


def tree(twin: Twin) -> dict[str, Any]:
    limit = {"rpm": HUGE, "tpm": HUGE}
    providers = {name: provider(twin.url, f"sk-{name}", {name: limit}) for name in ("main", "new")}
    providers["new"]["models"] = {"new": {"price": {"input": 1, "output": 2}}}
    shadow = {"model": "new", "share": "100%", "max_cost_per_day": 1, "max_concurrent": 16}
    return {"providers": providers, "strategies": {"chat": {"primary_model": "main", "shadow": shadow}}}


def compared(gate: Gate) -> list[Compared]:
    return [fact for fact in gate.facts() if isinstance(fact, Compared)]


def summed(gate: Gate) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(gate.state / "tidegate.db", timeout=10)
    try:
        columns = "sum(calls), sum(answered), sum(agreed), sum(permille), sum(candidate_nano)"
        return connection.execute(f"SELECT {columns} FROM shadow_days").fetchall()
    except sqlite3.OperationalError:  # there are no tables yet
        return []
    finally:
        connection.close()


@pytest.mark.timeout(180)
async def test_agreement_and_cost_are_summed_whatever_dies(tmp_path: Path) -> None:
    """Clients get the primary's answer; each pair counts once though the control process is killed in between."""
    timing = {"ttft_ms": 1, "tpot_ms": 0}
    twin = Twin(tmp_path / "twin", {"models": [{"name": "main"}, {"name": "new"}], "answers": SAY, "timing": timing})
    gate = Gate(tmp_path / "gate", tree(twin))
    try:
        for number in range(CALLS):
            answer = await gate.chat("chat", max_tokens=64, stream=number % 2 == 1)
            assert answer.status == 200
            if number == CALLS // 2:
                os.kill(gate.children()["control"], signal.SIGKILL)
        await until(lambda: len(compared(gate)) == CALLS, "all to be compared")
        facts = compared(gate)
        assert {(fact.state, fact.permille, fact.agreed) for fact in facts} == {("answered", 800, True)}
        shadows = {record.call_id: record for record in gate.records("shadow:chat")}
        assert {fact.shadow_id for fact in facts} == set(shadows)
        cost = sum(record.cost_nano for record in shadows.values())
        assert cost == sum(fact.candidate_nano for fact in facts) > 0
        await until(lambda: summed(gate) == [(CALLS, CALLS, CALLS, CALLS * 800, cost)], "the database to say the same")
        assert len(twin.calls("new")) == len(twin.calls("main")) == CALLS
        (one,) = await Admin(gate).ask("GET", "/shadows")
        assert (one["strategy"], one["candidate"], one["calls"], one["similarity"]) == ("chat", "new", CALLS, 0.8)
        status, text = await command(Admin(gate), gate, "shadows", "--json")
        assert (status, json.loads(text)[0]["agreed"]) == (0, CALLS)
    finally:
        gate.close()
        twin.close()
