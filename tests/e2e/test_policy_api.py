"""The policy changed over the admin API of a real gate: it acts on calls, and nobody's change is lost."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.gate import HUGE
from harness.twin import Twin
from harness.wait import DEADLINE, until
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import TOKEN
from tests.e2e.test_managed_keys import Admin as Manager

SECRET = "sk-policy-secret"
PATH = ["model_strategy", "rate_limit_policy", "max_rpm"]


class Admin(Manager):
    """Who expects a status."""

    async def refused(self, path: str, body: dict[str, Any], status: int) -> Any:
        """A POST that is refused so: the problem's document."""
        await until(lambda: TOKEN.search(self.gate.log()), "the first admin token")
        found = TOKEN.search(self.gate.log())
        assert found is not None
        async with asyncio.timeout(DEADLINE):
            told, data = await asyncio.to_thread(self._ask, found[1], "POST", path, body)
        assert told == status, data
        return json.loads(data)


def text(twin: Twin, rpm: int = 3000) -> str:
    return f"""\
# The gate of the test.
providers:
  openai:
    dialect: openai
    base_url: {twin.url}  # the twin
    scopes:
      - name: main
        keys: ["{SECRET}"]
        limits:
          gpt-4o: {{rpm: {HUGE}, tpm: {HUGE}}}

model_strategy:
  primary_model: gpt-4o   # the first
  rate_limit_policy:
    max_rpm: {rpm}   # a slider
    max_tpm: 150000
"""


@pytest.fixture
def gate(gates: Callable[..., Gate], twin: Twin) -> Gate:
    return gates(text(twin))


async def shown(admin: Admin) -> dict[str, Any]:
    found: dict[str, Any] = await admin.ask("GET", "/policy")
    return found


async def test_a_change_acts_on_calls(gate: Gate, twin: Twin) -> None:
    """One line of the file changes, every worker serves by it at once, and the way back is the file as it was."""
    admin, before = Admin(gate), gate.config.read_bytes()
    policy = await shown(admin)
    assert policy["writable"]
    assert SECRET not in json.dumps(policy)
    assert policy["form"]["strategies"][0]["rate_limit_policy"]["max_rpm"] == 3000
    change = {"path": PATH, "value": 1}
    tried = await admin.ask("POST", "/policy/preview", {"base": policy["digest"], "changes": [change]})
    assert tried["errors"] == []
    assert [line for line in tried["diff"].splitlines() if line[:1] in "+-"] == [
        "-    max_rpm: 3000   # a slider",
        "+    max_rpm: 1   # a slider",
    ]
    assert gate.config.read_bytes() == before
    began = time.monotonic()
    done = await admin.ask(
        "POST", "/policy/apply", {"base": policy["digest"], "text": tried["text"], "comment": "less"}
    )
    print(f"in force after {done['in_force_after_ms']} ms, {time.monotonic() - began:.3f} s with the request")
    assert gate.config.read_text(encoding="utf-8") == text(twin, 1)
    statuses = [(await gate.chat("gpt-4o", headers={"x-tidegate-deadline-ms": "300"})).status for _ in range(2)]
    assert statuses == [200, 429]

    history = await admin.ask("GET", "/policy/history")
    assert [(one["by"], one["comment"]) for one in history] == [("first", "less"), ("", "")]
    former = await admin.ask("GET", f"/policy/history/{history[1]['id']}")
    assert former["text"] == policy["text"]
    await admin.ask("POST", f"/policy/history/{history[1]['id']}/restore", {"base": done["digest"]})
    assert gate.config.read_bytes() == before
    assert (await gate.chat("gpt-4o")).status == 200
    for row in await admin.ask("GET", "/audit?action=policy"):
        assert SECRET not in json.dumps(row)
    assert SECRET not in gate.log()


async def test_two_people_at_once(gate: Gate, twin: Twin) -> None:
    """The second one hears what the first one made of it, and nothing of hers is written."""
    admin = Admin(gate)
    policy = await shown(admin)
    mine, yours = (policy["text"].replace("3000", number) for number in ("2000", "1000"))
    done = await admin.ask("POST", "/policy/apply", {"base": policy["digest"], "text": mine})
    refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": yours}, 409)
    assert refusal["errors"][0]["field"] == "base"
    assert (refusal["digest"], refusal["text"]) == (done["digest"], mine)
    assert gate.config.read_text(encoding="utf-8") == text(twin, 2000)


async def test_what_is_wrong_is_told_with_its_place(gate: Gate) -> None:
    """All at once, and nothing changes; a mask that stands for nothing, or where it would be seen, is named too."""
    admin, before = Admin(gate), gate.config.read_bytes()
    policy = await shown(admin)
    wrong = policy["text"].replace("max_rpm: 3000", "max_rpm: many").replace("max_tpm", "max_tmp")
    wrong = wrong.replace("primary_model: gpt-4o ", "primary_model: «secret:0123456789abcdef» ")
    refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": wrong}, 422)
    assert [(one["line"], one["field"].rpartition(".")[2]) for one in refusal["findings"]] == [
        (13, ""), (15, "max_rpm"), (16, "max_tmp"),
    ]  # fmt: skip
    mask = policy["text"].partition('keys: ["')[2].partition('"')[0]
    bare = policy["text"].replace("primary_model: gpt-4o", f"primary_model: {mask}")
    refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": bare}, 422)
    assert refusal["findings"][0]["message"] == "a secret cannot stand here"
    broken = await admin.ask("POST", "/policy/preview", {"base": policy["digest"], "text": policy["text"] + "  : ["})
    assert broken["errors"][0]["line"] == 17
    assert gate.config.read_bytes() == before


async def test_a_change_by_hand_is_noted(gate: Gate, twin: Twin) -> None:
    """Whoever edits the file itself stands in the history, too, without a name, and is not overwritten."""
    admin = Admin(gate)
    policy = await shown(admin)
    deadline = time.monotonic() + DEADLINE
    while not await admin.ask("GET", "/policy/history"):
        assert time.monotonic() < deadline, "the watch has not seen what the gate began with"
        await asyncio.sleep(0.05)
    gate.write(text(twin, 2500))
    await until(lambda: '"version": 2' in gate.log(), "the second version")
    refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": policy["text"]}, 409)
    assert "2500" in refusal["text"]
    newest, first = await admin.ask("GET", "/policy/history")
    assert (newest["by"], newest["added"], newest["removed"], first["by"]) == ("", 1, 1, "")
    assert newest["digest"] == refusal["digest"]


async def test_a_file_that_cannot_be_written(gates: Callable[..., Gate], twin: Twin) -> None:
    """It is told before anybody types, and when it is tried nothing changes."""
    gate = gates(text(twin))
    admin = Admin(gate)
    policy = await shown(admin)
    gate.config.unlink()
    gate.config.mkdir()
    refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": policy["text"]}, 503)
    assert refusal["errors"][0]["field"] == "file"


async def test_the_workers_refuse(gate: Gate, twin: Twin) -> None:
    """What passes every check and is refused all the same leaves the former text in the file and in force."""
    admin, before = Admin(gate), gate.config.read_bytes()
    policy = await shown(admin)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        isolation = f"isolation: {{port: {taken.getsockname()[1]}}}"
        more = f"""
  acme:
    dialect: openai
    base_url: {twin.url}
    scopes: [{{name: own, keys: [sk-own]}}]
namespaces:
  acme: {{keys: [acme-key], {isolation}}}
pools:
  acme: {{scopes: [acme/own], only: [acme]}}
"""
        sent = policy["text"].replace("\nmodel_strategy", f"{more}model_strategy")
        refusal = await admin.refused("/policy/apply", {"base": policy["digest"], "text": sent}, 502)
    assert "it is refused" in refusal["errors"][0]["problem"]
    assert gate.config.read_bytes() == before
    assert (await shown(admin))["digest"] == policy["digest"]
    assert (await gate.chat("gpt-4o")).status == 200


async def test_a_dry_run_beside_the_calls(gate: Gate) -> None:
    """Recorded calls are played through a text; it can be asked how far it is, and it ends with a report."""
    admin = Admin(gate)
    for _ in range(3):
        assert (await gate.chat("gpt-4o")).status == 200
    policy = await shown(admin)

    async def calls() -> int:
        return len((await admin.ask("GET", "/calls"))["calls"])

    deadline = time.monotonic() + 20
    while await calls() < 3:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    slower = policy["text"].replace("max_rpm: 3000", "max_rpm: 1")
    started = await admin.ask("POST", "/policy/dryrun", {"text": slower, "since": "1h"})
    while True:
        run = await admin.ask("GET", f"/policy/dryrun/{started['id']}")
        if run["state"] not in ("collecting", "playing"):
            break
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert (run["state"], run["percent"]) == ("done", 100), run
    assert (run["report"]["calls"], run["report"]["plays"]) == (3, 5)
    assert not any(one.startswith("dryrun-") for one in os.listdir(gate.state))  # noqa: PTH208 - names are enough
