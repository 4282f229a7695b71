"""Drills with real processes: a fallback that does not understand is found, left out, and comes back."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import TOKEN, Admin
from tidegate.model.drills import OUT

SAY = [{"model": "good", "say": "A refund takes 7 days."}, {"model": "main", "say": "7 days."}]
MODELS = [{"name": name} for name in ("main", "good", "beside")]


def tree(twin: Twin) -> dict[str, Any]:
    limit = {"rpm": HUGE, "tpm": HUGE}
    providers = {name: provider(twin.url, f"sk-{name}", {name: limit}) for name in ("main", "good", "beside")}
    fallbacks = [{"model": "beside"}, {"model": "good"}]
    strategy = {"primary_model": "main", "fallback_models": fallbacks, "retry_policy": {"base_seconds": 0.01}}
    prompts = [{"prompt": "How long does a refund take?", "max_tokens": 64, "expect": [{"contains": ["7 days"]}]}]
    drills = {"core": {"on_failure": "out", "faults": ["429", "cut"], "prompts": prompts}}
    return {"providers": providers, "strategies": {"chat": strategy}, "drills": drills}


async def command(admin: Admin, gate: Gate, *words: str) -> tuple[int, str]:
    """`tidegate drill …` as an operator runs it: its exit status, and what it printed."""
    token = TOKEN.search(gate.log())
    assert token is not None
    given = {"TIDEGATE_ADMIN_TOKEN": token[1], "TIDEGATE_ADMIN_URL": f"http://127.0.0.1:{gate.admin_port}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", "drill", *words, env=os.environ | given,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.mark.timeout(180)
async def test_a_fallback_that_answers_beside_the_question(tmp_path: Path) -> None:
    """It is found at the start, before it is needed; calls go past it; who changes the drill has it asked anew."""
    timing = {"ttft_ms": 1, "tpot_ms": 0}
    twin = Twin(tmp_path / "twin", {"models": MODELS, "answers": SAY, "timing": timing})
    gate = Gate(tmp_path / "gate", tree(twin))
    try:
        admin = Admin(gate)
        out = gate.state / OUT
        await until(out.exists, "the fallback to be left out", 60)  # the first drill waits for all that starts
        await until(lambda: "left out until" in gate.log(), "the worker to know")
        assert out.read_text() == '[["chat", "beside"]]'
        (drill,) = (await admin.ask("GET", "/drills"))["drills"]
        states = {one["target"]: one["state"] for one in drill["targets"]}
        while states["good"] == "unproved":
            (drill,) = (await admin.ask("GET", "/drills"))["drills"]
            states = {one["target"]: one["state"] for one in drill["targets"]}
            await asyncio.sleep(0)
        assert states == {"main": "passed", "beside": "failed", "good": "passed"}
        twin.fault({"match": {"model": "main"}, "fault": "500"})
        answer = await gate.chat("chat", max_tokens=64)
        assert answer.headers["x-tidegate-target"] == "good/main/good"
        assert not [call for call in twin.calls("main") if call["status"] == 500 and call["key"] == "sk-drill"]
        status, text = await command(admin, gate, "run", "core", "--strategy", "chat")
        assert status == 1
        assert "not passed: beside of chat (failed)" in text
        assert (await command(admin, gate, "show", "core", "--target", "good", "--answers"))[0] == 0
        assert "context_unknown" in (await command(admin, gate, "check"))[1]
        assert "beside" in (await command(admin, gate, "list"))[1]
        records = gate.records("drill:core")
        assert {record.tier for record in records} == {"batch"}
        assert {record.client for record in records} == {"drill:core"}
    finally:
        gate.close()
        twin.close()
