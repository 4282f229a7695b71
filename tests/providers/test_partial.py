"""The usage that a failed stream's last event tells."""

import json

import pytest
from anthropic.types import Usage as MessageUsage
from openai.types.completion_usage import CompletionUsage
from openai.types.responses.response_usage import ResponseUsage
from pydantic import BaseModel

from tidegate.model.outcome import Usage
from tidegate.providers.anthropic.answer import usage_of as of_message
from tidegate.providers.openai.answer import usage_of as of_completion
from tidegate.providers.partial import Counts, chat, messages, responses, within
from tidegate.providers.responses.answer import usage_of as of_response

USED = Usage(90, 7, 40, written=10, reasoning=3)
COUNTS: Counts = {"prompt_tokens": 9}


def test_it_is_stated_as_each_maker_states_it() -> None:
    """What is told is read as what was used, as far as the maker has a word for it."""

    def told(counts: Counts) -> bytes:
        return json.dumps({"usage": counts}).encode()

    assert of_completion(told(chat(USED))) == Usage(90, 7, 40, reasoning=3)
    assert of_response(told(responses(USED))) == Usage(90, 7, 40, reasoning=3)
    assert of_message(told(messages(USED))) == Usage(90, 7, 40, written=10)
    assert (chat(USED)["total_tokens"], responses(USED)["total_tokens"]) == (97, 97)


@pytest.mark.parametrize(
    ("counts", "model"),
    [(chat(USED), CompletionUsage), (messages(USED), MessageUsage)],
)
def test_the_sdks_have_words_for_it(counts: Counts, model: type[BaseModel]) -> None:
    """Their own types take it."""
    assert model.model_validate(counts).model_dump(exclude_unset=True) == counts


def test_a_response_has_words_for_it() -> None:
    """The SDK asks no complete object of a stream."""
    usage = ResponseUsage.construct(**responses(USED))
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (90, 7, 97)


@pytest.mark.parametrize("state", [chat, messages, responses])
def test_what_is_estimated_says_so(state: object) -> None:
    """And what the provider told says nothing."""
    assert callable(state)
    assert "estimated" not in state(USED)
    assert state(Usage(9, 2, estimated=True))["estimated"] is True


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (b'{"error":{"message":"m","n":1.0}}', b'{"error":{"message":"m","n":1.0,"usage":{"prompt_tokens":9}}}'),
        (b'{"error":{"usage":null}}', b'{"error":{"usage":{"prompt_tokens":9}}}'),
        (
            b'{"response":{"usage":{"prompt_tokens":1,"other": 2}}}',
            b'{"response":{"usage":{"prompt_tokens":9,"other":2}}}',
        ),
        (b'{"error":null,"response":{}}', b'{"error":null,"response":{"usage":{"prompt_tokens":9}}}'),
        (b'{"error":"text"}', b'{"error":"text","usage":{"prompt_tokens":9}}'),
        (b'{"type":"error","message":"m"}', b'{"type":"error","message":"m","usage":{"prompt_tokens":9}}'),
        (b'{"error":', b'{"error":'),
        (b"[1]", b"[1]"),
        (b"\xff", b"\xff"),
    ],
)
def test_where_it_is_told(error: bytes, told: bytes) -> None:
    """Every other field keeps its bytes."""
    assert within(error, COUNTS) == told
