"""Completions: chunks as OpenAI's SDK reads them, with the log-probabilities of their tokens in columns."""

import json
from typing import Any

import pytest
from openai.types import Completion

from tests.providers.answers import wholes
from tests.providers.served import served
from tidegate.providers.answers.completion import to_chunks, whole_of
from tidegate.providers.answers.fields import Cut
from tidegate.providers.translate.events import payloads

COLUMNS = {"tokens": ["On", "ce"], "token_logprobs": [-1.0, -0.5], "top_logprobs": None, "text_offset": [4, 6]}


def completion(text: str, logprobs: Any = None, **fields: object) -> Any:
    choice = {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": "stop"}
    whole = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
    return {**whole, "choices": [choice], "usage": wholes.USAGE, **fields}


def said(whole: Any) -> list[Any]:
    return [json.loads(data) for data in payloads(b"".join(to_chunks(whole, usage=True)))[:-1]]


def test_words_then_the_reason() -> None:
    """The text in words, then why it ended, then the usage."""
    chunks = said(completion("Once upon a time"))
    texts = [choice["text"] for chunk in chunks for choice in chunk["choices"]]
    assert texts == ["Once", " upon", " a", " time", ""]
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]] == [None] * 4 + ["stop"]
    assert chunks[-1]["usage"] == wholes.USAGE


def test_columns_are_cut_with_the_tokens() -> None:
    """Each token comes with its own; columns that are no tokens of the text come with all of it."""
    first, second, end, _ = said(completion("Once", COLUMNS))
    assert first["choices"][0]["logprobs"] == {
        "tokens": ["On"], "token_logprobs": [-1.0], "top_logprobs": None, "text_offset": [4],
    }  # fmt: skip
    assert (second["choices"][0]["text"], end["choices"][0]["logprobs"]) == ("ce", None)
    assert said(completion("Other", COLUMNS))[0]["choices"][0]["logprobs"] == COLUMNS
    assert whole_of(b"".join(to_chunks(completion("Once", COLUMNS), usage=True))) == completion("Once", COLUMNS)


def test_the_sdk_reads_both() -> None:
    """OpenAI's SDK gets the same text from the stream as from the whole answer."""
    whole = completion("Once upon a time", None, system_fingerprint="fp")
    events = b"".join(to_chunks(whole, usage=True))
    with served(events) as client:
        told = [*client.completions.create(model="m", prompt="p", stream=True)]
    assert "".join(choice.text for chunk in told for choice in chunk.choices) == "Once upon a time"
    assert Completion.model_validate(whole_of(events)).choices[0].text == "Once upon a time"


@pytest.mark.parametrize(
    ("events", "error"),
    [(b"", Cut), (b'data: {"choices":[]}\n\ndata: [DONE]\n\n', ValueError), (b'data: {"choices":[]}\n\n', Cut)],
)
def test_what_is_no_answer(events: bytes, error: type[Exception]) -> None:
    """No end, or no choice."""
    with pytest.raises(error):
        whole_of(events)


def test_what_has_no_chunks() -> None:
    """No choices."""
    with pytest.raises(ValueError, match="without choices"):
        to_chunks({"choices": None}, usage=True)
