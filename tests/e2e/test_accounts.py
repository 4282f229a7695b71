"""Accounts that are taken out of service while a gate of several processes runs: no call is lost, and it lasts."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from harness.gate import HUGE, provider
from harness.supervised import START
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total
from tests.e2e.test_managed_keys import TOKEN, Admin
from tests.e2e.test_workers import CLIENTS, MODEL, Clients

LIMIT = {"rpm": HUGE, "tpm": HUGE}
ONE, TWO, SPARE = "sk-drain-one", "sk-drain-two", "sk-drain-spare"
MESSAGES = {"model": MODEL, "messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}


def tree(twin: Twin) -> dict[str, Any]:
    """Two accounts that serve one model, and a strategy that has another model's account to fall back to."""
    limits = {MODEL: LIMIT, "gpt-3.5-turbo": LIMIT}
    main = provider(twin.url, ONE, limits)
    main["scopes"].append({"name": "two", "keys": [TWO], "limits": limits})
    spare = provider(twin.url, SPARE, {"gpt-4o-mini": LIMIT})
    strategies = {"chat": {"primary_model": "gpt-3.5-turbo", "fallback_models": [{"model": "gpt-4o-mini"}]}}
    return {"providers": {"openai": main, "spare": spare}, "strategies": strategies}


def asked(twin: Twin, key: str, model: str = MODEL) -> int:
    return int(twin.ledger(key, model)["calls"])


async def known(gate: Gate, scope: str, workers: int) -> None:
    """To so many workers."""
    line = f'tidegate_account_drained{{key="",provider="openai",scope="{scope}",'
    await until(lambda: total(gate, line) == workers, "every worker to know", START)


async def command(gate: Gate, *words: str) -> tuple[int, str]:
    """`tidegate accounts …` as an operator runs it."""
    token = TOKEN.search(gate.log())
    assert token is not None
    given = {"TIDEGATE_ADMIN_TOKEN": token[1], "TIDEGATE_ADMIN_URL": f"http://127.0.0.1:{gate.admin_port}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", "accounts", *words, env=os.environ | given,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_traffic_moves_to_the_other_account_and_no_call_is_lost(twin: Twin, tmp_path: Path) -> None:
    """By all workers, by the next process that serves, until it is restored; with none left a call is told so."""
    gate = Gate(tmp_path / "gate", tree(twin), "--workers", "2")
    twin.fault({"fault": "slow", "match": {"model": MODEL}, "ms": 50})
    try:
        admin = Admin(gate)
        clients = Clients(gate)
        calling = [asyncio.create_task(clients.call(number)) for number in range(CLIENTS)]
        await clients.answers(40)
        assert asked(twin, ONE) > 0
        await admin.ask("POST", "/accounts/openai/main/drain", {"reason": "a bill"})
        await known(gate, "main", 2)
        await clients.answers(2 * CLIENTS)  # whoever was in flight there has its answer
        before = asked(twin, ONE)
        await clients.answers(60)
        clients.stop()
        await asyncio.gather(*calling)
        assert asked(twin, ONE) == before
        assert clients.failures == []
        gate.signal(signal.SIGTERM)
        assert gate.wait_end() == 0, gate.log()[-3000:]
        assert gate.process.stdout is not None
        gate.process.stdout.close()
        gate.start()
        gate.wait_ready()
        assert {(await gate.chat(MODEL)).status for _ in range(20)} == {200}
        assert asked(twin, ONE) == before
        await _nothing_left(gate, twin)
        await admin.ask("POST", "/accounts/openai/main/restore")
        await until(lambda: total(gate, "tidegate_account_drained") == 2, "one scope of two workers", START)
        answers = [await gate.chat(MODEL) for _ in range(4)]
        assert {answer.headers["x-tidegate-target"] for answer in answers} == {f"openai/main/{MODEL}"}
    finally:
        gate.close()


async def _nothing_left(gate: Gate, twin: Twin) -> None:
    """A call of the model is told, in its dialect; a strategy falls back; the command shows why."""
    status, text = await command(gate, "drain", "openai/two", "--reason", "moved")
    assert (status, text) == (0, "out of service: openai/two\n")
    await known(gate, "two", 2)
    told = await gate.chat(MODEL)
    assert told.status == 503, told.headers.get("x-tidegate-target")
    assert told.json["error"]["code"] == "accounts_drained"
    assert "tidegate accounts restore" in told.json["error"]["message"]
    anthropic = await gate.post("/v1/messages", MESSAGES, anthropic_version="2023-06-01")
    assert (anthropic.status, anthropic.json["type"]) == (503, "error")
    assert "out of service" in anthropic.json["error"]["message"]
    spare = asked(twin, SPARE, "gpt-4o-mini")
    assert (await gate.chat("chat")).status == 200
    assert asked(twin, SPARE, "gpt-4o-mini") == spare + 1
    status, text = await command(gate, "list")
    assert status == 0
    assert "moved" in text
    assert ONE not in text
    await _chain(gate)


async def _chain(gate: Gate) -> None:
    """Of the call that fell back: why."""
    admin = Admin(gate)
    async with asyncio.timeout(START):
        while not (found := (await admin.ask("GET", "/calls?reason=drained&status=200"))["calls"]):
            await asyncio.sleep(0)
    chain = await admin.ask("GET", f"/calls/{found[0]['id']}")
    assert any("drained" in stage["says"] for stage in chain["stages"])


async def test_a_key_out_of_service_and_a_stream_that_goes_on(twin: Twin, tmp_path: Path) -> None:
    """The other key of the scope is used; a stream of the drained one finishes."""
    file = tree(twin)
    file["providers"]["openai"]["scopes"] = [{"name": "main", "keys": [ONE, TWO], "limits": {MODEL: LIMIT}}]
    gate = Gate(tmp_path / "gate", file)
    try:
        admin = Admin(gate)
        twin.fault({"fault": "slow", "match": {"model": MODEL}, "ms": 300})
        streams = [asyncio.create_task(gate.chat(MODEL, stream=True)) for _ in range(4)]
        await until(lambda: asked(twin, ONE) + asked(twin, TWO) == 4, "four streams", START)
        (scope, *_) = (await admin.ask("GET", "/accounts"))["providers"][0]["scopes"]
        first = scope["keys"][0]["fingerprint"]
        await admin.ask("POST", f"/accounts/openai/main/keys/{first}/drain", {})
        await until(lambda: total(gate, f'tidegate_account_drained{{key="{first}"') == 1, "the worker", START)
        assert {(await stream).events[-1] for stream in streams} == {"[DONE]"}
        twin.fault()
        before = asked(twin, ONE)
        assert {(await gate.chat(MODEL)).status for _ in range(6)} == {200}
        assert asked(twin, ONE) == before
    finally:
        gate.close()
