"""Answers in OpenAI's dialect: what they cost, and what an error says."""

import json

import pytest

from tidegate.model.outcome import Usage
from tidegate.providers.openai.answer import error_of, usage_of


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}, Usage(10, 5)),
        ({"usage": {"prompt_tokens": 10, "total_tokens": 10}}, Usage(10, 0)),  # embeddings
        ({"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}}, Usage(9, 0, 4)),
        ({"usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": None}}, Usage(9, 1)),
        ({"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 3}}}, Usage(9, written=3)),
        (
            {
                "usage": {
                    "prompt_tokens": 9,
                    "completion_tokens": 8,
                    "completion_tokens_details": {"reasoning_tokens": 7},
                }
            },
            Usage(9, 8, reasoning=7),
        ),
        ({"usage": {"prompt_tokens": 9, "completion_tokens_details": None}}, Usage(9)),
        ({"usage": {"prompt_tokens": 9, "completion_tokens": None, "prompt_tokens_details": {}}}, Usage(9)),
        ({"usage": {"prompt_tokens": 9}, "service_tier": "flex"}, Usage(9, tier="flex")),
        ({"usage": {"prompt_tokens": 9}, "service_tier": "default"}, Usage(9)),
        ({"usage": {"prompt_tokens": 9}, "service_tier": None}, Usage(9)),
        ({"usage": {"prompt_tokens": 9}, "service_tier": [7]}, Usage(9)),
        ({"usage": None}, None),
        ({"usage": {}}, None),
        ({"usage": {"prompt_tokens": "many"}}, None),
        ({"usage": [1]}, None),
        ({}, None),
        ([], None),
        (5, None),
    ],
)  # fmt: skip
def test_usage_is_read_where_it_is_stated(answer: object, usage: Usage | None) -> None:
    """Never a zero in place of what is not known."""
    assert usage_of(json.dumps(answer).encode()) == usage


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"usage": {"prompt_tok', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_not_json_is_an_error(answer: bytes) -> None:
    """Of one kind."""
    with pytest.raises(ValueError, match=r"."):
        usage_of(answer)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"m","type":"tokens","param":null,"code":"rate_limit_exceeded"}}',
         ("rate_limit_exceeded", "tokens")),
        (b'{"error":{"code":null,"type":"server_error"}}', ("", "server_error")),
        (b'{"error":{"code":429,"type":"x"}}', ("429", "x")),
        (b'{"error":{}}', ("", "")),
        (b'{"error":"overloaded"}', ("", "")),
        (b'{"error":null}', ("", "")),
        (b'{"error":[]}', ("", "")),
        (b'{"error":{"code":{},"type":[]}}', ("", "")),
        (b'{"detail":"no"}', ("", "")),
        (b"[]", ("", "")),
        (b"<html>502</html>", ("", "")),
        (b"", ("", "")),
        (b"\xff\xfe", ("", "")),
        (b'{"error":{"code":"\xff"}}', ("", "")),
        (b'{"error":' * 100_000, ("", "")),
    ],
)  # fmt: skip
def test_code_and_type_of_an_error(body: bytes, expected: tuple[str, str]) -> None:
    """An empty text where they are absent, whatever the body is."""
    said = error_of(body)
    assert (said.code, said.type) == expected
