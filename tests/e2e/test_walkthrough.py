"""The mission's walk-through against the twin, with its own policy file and a `Retry-After` of 150 ms for 15 s."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from harness.twin import Twin
from tests.e2e.conftest import MISSION_KEY, sdk
from tests.e2e.stand import Gate, numbers
from tidegate.model.facts import CallRecord, Hits, Intent

POLICY = Path(__file__).parents[1] / "config" / "mission.yaml"
PROVIDER = """
providers:
  openai:
    dialect: openai
    base_url: {url}
    scopes:
      - name: main
        keys: [{key}]
        limits:
          gpt-4o: {{rpm: 3000, tpm: 150000}}
          gpt-3.5-turbo: {{rpm: 3000, tpm: 150000}}
"""
QUESTION = [{"role": "user", "content": "What are the main highlights of this year's Q2 report?"}]
SMOOTHED_MS, FIRST_MS, SECOND_MS = 100, 150, 300


def test_three_refusals_then_the_fallback_answers(gates: Callable[[str], Gate], twin: Twin) -> None:
    """Held 100 ms at 85 % of TPM; refused, waits 150 ms, then 300 ms; the third refusal is the last; gpt-3.5 answers.

    The provider saw three calls of gpt-4o for it, none of them avoidable; headers and journal tell the same story. The
    assistant converses, so its calls are no jobs, which the policy would make of them.
    """
    conversing = POLICY.read_text(encoding="utf-8").replace("execution_mode: async", "execution_mode: sync")
    gate = gates(conversing + PROVIDER.format(url=twin.url, key=MISSION_KEY))
    with sdk(gate.url) as client:
        client.chat.completions.create(model="gpt-4o", messages=QUESTION, max_tokens=140_000)  # 93 % of the minute
        twin.fault({"fault": "429", "match": {"model": "gpt-4o"}, "count": 3, "retry_after_ms": FIRST_MS})
        raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=QUESTION, max_tokens=30)
    answer = raw.parse()
    assert answer.model == "gpt-3.5-turbo"
    assert numbers(answer.choices[0].message.content or "") == list(range(1, 31))

    assert raw.headers["x-tidegate-target"] == "openai/main/gpt-3.5-turbo"
    told = ["openai/main/gpt-4o 429 rate"] * 3 + ["openai/main/gpt-3.5-turbo 200"]
    assert raw.headers["x-tidegate-attempts"].split(", ") == told
    assert int(raw.headers["x-tidegate-wait-ms"]) >= SMOOTHED_MS + FIRST_MS + SECOND_MS

    _, *refused, served = twin.calls()
    assert [(call["model"], call["status"]) for call in refused] == [("gpt-4o", 429)] * 3
    assert (served["model"], served["status"]) == ("gpt-3.5-turbo", 200)
    gaps_ms = [(later["arrived_us"] - earlier["ended_us"]) / 1_000 for earlier, later in pairwise(refused)]
    assert gaps_ms[0] >= FIRST_MS
    assert gaps_ms[1] >= SECOND_MS
    books = twin.ledger()["by_key"][MISSION_KEY]
    assert (books["gpt-4o"]["calls"], books["gpt-4o"]["throttled"], books["gpt-4o"]["avoidable"]) == (1 + 3, 3, 0)
    assert (books["gpt-3.5-turbo"]["calls"], books["gpt-3.5-turbo"]["throttled"]) == (1, 0)

    *intents, record = [fact for fact in gate.facts() if not isinstance(fact, Hits)][2:]
    assert all(isinstance(fact, Intent) for fact in intents)
    assert [getattr(fact, "attempt", 0) for fact in intents] == [1, 2, 3, 4]
    assert isinstance(record, CallRecord)
    assert (record.plan, record.status, record.attempts, record.completion_tokens) == ("gpt-4o", 200, 4, 30)
    assert record.waited_us >= (SMOOTHED_MS + FIRST_MS + SECOND_MS) * 1_000
