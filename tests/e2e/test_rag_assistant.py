"""The example of the cache: an assistant over documents, its own gate file, the real embedder, the twin as provider."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from examples.rag_assistant.assistant import Answer, Assistant, language_of, prompt
from examples.rag_assistant.retrieval import DOCUMENTS, Index, read
from harness.twin import Twin
from harness.wait import until
from tests.e2e.conftest import sdk
from tests.e2e.stand import Gate
from tidegate.config.load import load
from tidegate.model.call import Kind
from tidegate.policy.caching.rules import Layers
from tidegate.semantic import ask

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "examples" / "rag_assistant" / "tidegate.yaml"
QUESTIONS = [  # a question, another that means the same, and one that means another quarter, product or task
    ("What was the revenue in Q2?", "Can you tell me what was the revenue in Q2?", "What was the revenue in Q3?"),
    (
        "How many people were employed at the end of the second quarter?",
        "Can you tell me how many people were employed at the end of the second quarter?",
        "How many people were employed at the end of the third quarter?",
    ),
    ("How do I calibrate the F200?", "How can I calibrate the F200?", "How do I calibrate the F100?"),
    ("第二季度的营收是多少？", "请问第二季度营收是多少？", "第三季度的营收是多少？"),
    ("第二季度末有多少员工？", "第二季度末员工有多少？", "第三季度末有多少员工？"),
    ("计量泵 P50 的价格是多少？", "计量泵P50价格多少？", "计量泵 P80 的价格是多少？"),
]
SAME_PASSAGES = {QUESTIONS[1][0], QUESTIONS[4][0]}  # one table for all quarters: here only the words tell them apart


class Desk:
    """The assistant at a gate whose process of questions is there."""

    def __init__(self, gate: Gate, client: OpenAI, twin: Twin, key: str) -> None:
        self._gate = gate
        self._client = client
        self._assistant = Assistant(client)
        self._twin = twin
        self._key = key

    @property
    def url(self) -> str:
        return self._gate.url

    def read(self, documents: Path) -> None:
        """As when the assistant is started."""
        self._assistant = Assistant(self._client, documents)

    def known(self) -> int | None:
        """Questions that can be found."""
        try:
            return ask.stats(self._gate.state).learnt
        except ask.Away:
            return None

    @property
    def calls(self) -> int:
        """What reached the provider."""
        made: int = self._twin.ledger(self._key, "gpt-4o")["calls"]
        return made

    async def ask(self, question: str) -> Answer:
        """As a user does; what the model was asked is known when this returns."""
        known = self.known()
        answer = self._assistant.ask(question)
        if answer.cache == "miss" and known is not None:
            await until(lambda: self.known() == known + 1, "what was learnt")
        return answer


@pytest.fixture
async def desk(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    key = next(keys)
    monkeypatch.setenv("OPENAI_BASE_URL", twin.url)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    patient = "  semantic: {budget_ms: 10000}\n"  # of `cache`, which ends the file: this machine does other things too
    gate = gates(SETTINGS.read_text(encoding="utf-8") + patient)
    with sdk(gate.url) as client:
        desk = Desk(gate, client, twin, key)
        await until(lambda: desk.known() is not None, "the process of questions")
        yield desk


async def test_the_walk_through(desk: Desk) -> None:
    """For each: answered by the model, by the exact cache, by the semantic one; and another quarter's by the model."""
    for question, same, other in QUESTIONS:
        made = desk.calls
        first, again, alike = [await desk.ask(one) for one in (question, question, same)]
        assert [first.cache, again.cache, alike.cache] == ["miss", "hit", "semantic"], question
        assert first.text == again.text == alike.text != ""
        assert "semantic; similarity=0.9" in alike.source
        assert desk.calls == made + 1
        another = await desk.ask(other)
        assert another.cache == "miss", other
        assert another.passages == first.passages or question not in SAME_PASSAGES
        assert desk.calls == made + 2


async def test_a_document_that_changes(desk: Desk, tmp_path: Path) -> None:
    """What was answered from its old text is found no more, in the same words or in others."""
    shutil.copytree(DOCUMENTS, tmp_path / "documents")
    for question, same, other in (QUESTIONS[0], QUESTIONS[3]):
        desk.read(tmp_path / "documents")
        before = [await desk.ask(one) for one in (question, same)]
        assert [one.cache for one in before] == ["miss", "semantic"]
        place = tmp_path / "documents" / language_of(question) / "reports" / "2026-q2.md"
        old = place.read_text(encoding="utf-8")
        new = old.replace("45.8 million", "45.9 million").replace("4580", "4590")
        assert new != old
        place.write_text(new, encoding="utf-8")
        desk.read(tmp_path / "documents")
        assert [(await desk.ask(one)).cache for one in (same, other, question)] == ["miss", "miss", "semantic"]


async def test_the_commands_of_its_readme(desk: Desk) -> None:
    """The program answers a question, and says who did."""
    url = desk.url
    readme = SETTINGS.with_name("README.md").read_text(encoding="utf-8")
    assert "tidegate serve -c examples/rag_assistant/tidegate.yaml" in readme
    assert "python -m examples.rag_assistant" in readme
    for said in ("answered by the model", "answered by the cache, "):
        command = [sys.executable, "-m", "examples.rag_assistant", QUESTIONS[3][0]]
        environment = {"TIDEGATE_URL": url, "PYTHONIOENCODING": "utf-8"}
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert said in done.stdout
        assert "reports/2026-q2.md" in done.stdout
    assert desk.calls == 1


@pytest.mark.parametrize(
    ("question", "seconds"),
    [
        ("How do I vent the P50?", 24 * 3_600),
        ("What was the gross margin in Q1?", 3_600),
        ("What does the flow meter F200 cost?", 300),
        ("怎么清洗 F200？", 24 * 3_600),
        ("第一季度毛利率是多少？", 3_600),
        ("技术人员每小时多少钱？", 300),
    ],
)
def test_times_to_live(question: str, seconds: int) -> None:
    """A manual's answer lives for a day, a report's for an hour, and where a price is among the passages, minutes."""
    snapshot = load(str(SETTINGS), {"OPENAI_API_KEY": "sk-own"}).snapshot
    assert snapshot is not None
    told = prompt(language_of(question), Index(read(DOCUMENTS / language_of(question))).search(question))
    layers = Layers(snapshot.cache.rules, snapshot.strategies[0].caching.ttl_seconds * 1_000_000)
    assert layers.ttl_us(Kind.CHAT, "assistant", (), lambda _: None, lambda: told) == seconds * 1_000_000


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How is the membrane changed?", "manuals/dosing-pump-p50.md"),
        ("What does E03 mean?", "manuals/flow-meter-f200.md"),
        ("What is free above 1,000 euro?", "prices/price-list.md"),
        ("How much cash was at hand after Q3?", "reports/2026-so-far.md"),
        ("隔膜多久更换一次？", "manuals/dosing-pump-p50.md"),
        ("E03 是什么意思？", "manuals/flow-meter-f200.md"),
        ("国内运费是多少？", "prices/price-list.md"),
        ("第三季度末的现金是多少？", "reports/2026-so-far.md"),
        ("Who wrote Hamlet?", ""),
        ("哈姆雷特的作者是谁？", ""),
    ],
)
def test_what_is_found(question: str, found: str) -> None:
    """The document that says it is among the passages; about what no document says there are none."""
    passages = Index(read(DOCUMENTS / language_of(question))).search(question)
    assert found in {one.place for one in passages} or (not found and not passages)
