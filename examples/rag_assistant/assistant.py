"""The assistant: passages that fit, put before the question, and the model's answer through Tidegate.

The passages stand in the system prompt and the question alone in the user's turn. So a call is answered from the cache
only where the passages are the same ones: a document that changes, or another document found, is another question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openai import OpenAI

from examples.rag_assistant.retrieval import DOCUMENTS, Index, Passage, read

MODEL = "assistant"  # the strategy in tidegate.yaml
_RULES = {
    "en": "You are the assistant of Lanternfish Instruments. Answer in a sentence or two, from these passages only.",
    "zh": "你是灯鱼仪器的助手。只根据下列资料，用一两句话回答。",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, and where that comes from."""

    text: str
    passages: tuple[Passage, ...]
    cache: str  # miss | hit | semantic | stale
    source: str  # `x-tidegate-cache-source`: the call that was answered first, "" of a miss
    age: int  # seconds since then


class Assistant:
    """Answers questions in English and Chinese, each from the documents of that language."""

    def __init__(self, client: OpenAI, documents: Path = DOCUMENTS) -> None:
        self._client = client
        self._indices = {name: Index(read(documents / name)) for name in _RULES}

    def ask(self, question: str) -> Answer:
        """One question, without what was asked before. Raises `openai.APIError`."""
        language = language_of(question)
        passages = self._indices[language].search(question)
        reply = self._client.chat.completions.with_raw_response.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": prompt(language, passages)},
                {"role": "user", "content": question},
            ],
        )
        said, headers = reply.parse(), reply.headers
        return Answer(
            said.choices[0].message.content or "",
            tuple(passages),
            headers.get("x-tidegate-cache", ""),
            headers.get("x-tidegate-cache-source", ""),
            int(headers.get("age", "0")),
        )


def language_of(text: str) -> str:
    """`zh` where there are Chinese characters, else `en`."""
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"


def prompt(language: str, passages: Sequence[Passage]) -> str:
    """What the model is told. Each passage begins with its place, which the rules of tidegate.yaml look at."""
    told = (f"[{one.place}] {one.title}\n{one.heading}\n{one.text}" for one in passages)
    return "\n\n".join((_RULES[language], *told))
