"""Questions that mean the same, through a real gate with the real embedder; the judge is the twin's own log."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import Gate, total
from tests.twin.http import Answer
from tidegate.model.facts import Hit, Hits
from tidegate.semantic import ask

ASKED, SAME = "How do I reset my password?", "How can I reset my password?"
NOT, OTHER = "How can I not reset my password?", "When does the museum open on Sunday?"
SYSTEM = {"role": "system", "content": "You are terse."}


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


@pytest.fixture
def tree(twin: Twin, key: str) -> dict[str, Any]:
    semantic = {"mode": "on", "error_rate": 0.05}
    return {
        "providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 100_000, "tpm": 60_000_000}})},
        "defaults": {"caching": {"enabled": True, "semantic": semantic}},
        "cache": {"semantic": {"budget_ms": 10_000}},  # on a machine that does other things
        "namespaces": {
            name: {"keys": [{"name": f"{name}-key", "key": f"tg-{name}-0123456789abcdef"}]} for name in ("red", "blue")
        },
    }


class Scene:
    """A gate whose process of questions is there."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def standing(self, name: str) -> Any:
        try:
            return getattr(ask.stats(self.gate.state), name)
        except ask.Away:
            return None

    async def ready(self) -> "Scene":
        await until(lambda: self.standing("asked") is not None, "the process")
        return self

    async def ask(self, text: str, name: str = "red", *before: dict[str, str]) -> Answer:
        headers = {"authorization": f"Bearer tg-{name}-0123456789abcdef"}
        messages = [*before, {"role": "user", "content": text}]
        answer = await self.gate.post("/v1/chat/completions", {"model": "gpt-4o", "messages": messages}, **headers)
        assert answer.status == 200, answer.body
        return answer

    async def learn(self, text: str) -> Answer:
        before = self.standing("learnt")
        answer = await self.ask(text)
        assert answer.headers["x-tidegate-cache"] == "miss"
        await until(lambda: self.standing("learnt") == before + 1, "what was learnt")
        return answer


@pytest.fixture
async def scene(gates: Callable[..., Gate], tree: dict[str, Any]) -> Scene:
    return await Scene(gates(tree)).ready()


def calls(twin: Twin, key: str) -> int:
    found: int = twin.ledger(key, "gpt-4o")["calls"]
    return found


def hits(scene: Scene) -> list[Hit]:
    """As the journal has them: misses stand there as sums, and may be told first."""
    return [hit for fact in scene.gate.facts() if isinstance(fact, Hits) for hit in fact.hits]


async def test_a_question_that_means_the_same_is_not_made(scene: Scene, twin: Twin, key: str) -> None:
    """Its answer says how alike they are and whose it is.

    What says the opposite, or stands in another conversation, or is another tenant's, is made.
    """
    first = await scene.learn(ASKED)
    again = await scene.ask(SAME)
    assert again.body == first.body
    assert again.headers["x-tidegate-cache"] == "semantic"
    source = again.headers["x-tidegate-cache-source"]
    assert source.startswith(f"{first.headers['x-request-id']}; semantic; similarity=0.9")
    assert calls(twin, key) == 1
    for answer in (await scene.ask(NOT), await scene.ask(SAME, "blue"), await scene.ask(SAME, "red", SYSTEM)):
        assert answer.headers["x-tidegate-cache"] == "miss"
    assert calls(twin, key) == 4
    await until(lambda: hits(scene), "the hit")
    (hit,) = hits(scene)
    assert (hit.layer, hit.similarity_permille > 950) == ("semantic", True)
    await until(lambda: total(scene.gate, 'tidegate_semantic_questions_total{outcome="served"') == 1, "the metrics")
    call_id = int(again.headers["x-request-id"].removeprefix("req_"), 16)
    assert ask.feedback(scene.gate.state, call_id, correct=False)
    assert (await scene.ask(SAME)).headers["x-tidegate-cache"] == "miss"  # somebody said that it was wrong


def hurried(tree: dict[str, Any]) -> dict[str, Any]:
    """With a budget that a test can wait for."""
    return tree | {"cache": {"semantic": {"budget_ms": 100}}}


async def test_its_death_costs_no_call(scene: Scene, tree: dict[str, Any], twin: Twin, key: str) -> None:
    """Killed, calls go on and the next one is asked; stopped, they go on as well; and a reload may do without it."""
    await scene.learn(ASKED)
    pid = scene.gate.children()["semantic"]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    assert (await scene.ask(OTHER)).headers["x-tidegate-cache"] == "miss"
    scene.gate.wait_child("semantic", pid)
    await scene.ready()
    pid = scene.gate.children()["semantic"]
    os.kill(pid, signal.SIGSTOP)
    scene.gate.write(hurried(tree))
    scene.gate.signal(signal.SIGHUP)
    scene.gate.wait_log("configuration reloaded")
    for number in range(20):
        assert (await scene.ask(f"{OTHER} {number}")).headers["x-tidegate-cache"] == "miss"
    assert total(scene.gate, 'tidegate_semantic_questions_total{outcome="late"') <= 4
    assert calls(twin, key) == 22
    os.kill(pid, signal.SIGCONT)
    tree["defaults"]["caching"]["semantic"]["mode"] = "off"
    scene.gate.write(tree)
    scene.gate.signal(signal.SIGHUP)
    wait_gone(pid)
    assert (await scene.ask(ASKED)).headers["x-tidegate-cache"] == "hit"
