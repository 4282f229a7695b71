"""What is wrong with a request for messages is said in Anthropic's form; nothing hangs, nothing is spent.

What is wrong with any JSON, and with HTTP itself, is in `test_bad_input.py`.
"""

import json
from typing import Any

import pytest

from harness.twin import Twin
from tests.e2e.stand import USER, Gate, Line, request
from tests.e2e.test_bad_input import INVALID
from tests.twin.http import Answer

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
ANY_JSON = {name: data for name, (data, _, param) in INVALID.items() if param is None}


def of(answer: Answer) -> tuple[int, str, str]:
    """Status, type and message. The shape is Anthropic's, or this fails."""
    said = answer.json
    assert said["type"] == "error"
    assert set(said["error"]) == {"type", "message"}
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    return answer.status, said["error"]["type"], said["error"]["message"]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": USER, "max_tokens": 5} | fields).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(body()).items() if name != field}).encode()


WRONG: dict[str, tuple[bytes, str]] = {  # the field that the message names
    "no model": (without("model"), "model"),
    "model a number": (body(model=5), "model"),
    "a name with a NUL": (body(model="gpt\u00004o"), "model"),
    "no messages": (without("messages"), "messages"),
    "messages a text": (body(messages="hello"), "messages"),
    "messages null": (body(messages=None), "messages"),
    "no max_tokens": (without("max_tokens"), "max_tokens"),
    "max_tokens a text": (body(max_tokens="many"), "max_tokens"),
    "max_tokens negative": (body(max_tokens=-1), "max_tokens"),
    "max_tokens far above": (body(max_tokens=10**30), "max_tokens"),
    "stream a text": (body(stream="yes"), "stream"),
}


@pytest.mark.parametrize("path", [MESSAGES, COUNT])
async def test_a_body_that_is_no_json(gate: Gate, twin: Twin, path: str) -> None:
    """400 for each, one after the other on one connection; the provider hears of none."""
    wrong = {}
    async with Line(gate) as line:
        for name, data in ANY_JSON.items():
            line.send(request(path, data, anthropic_version="2023-06-01"))
            status, kind, message = of(await line.reply())
            if (status, kind) != (400, "invalid_request_error"):
                wrong[name] = status, kind, message
        assert await line.usable()
    assert wrong == {}
    assert twin.ledger()["calls"] == 0


async def test_a_body_that_is_no_request(gate: Gate, twin: Twin) -> None:
    """400 with the field in the message."""
    wrong = {}
    async with Line(gate) as line:
        for name, (data, field) in WRONG.items():
            line.send(request(MESSAGES, data, anthropic_version="2023-06-01"))
            status, kind, message = of(await line.reply())
            if (status, kind) != (400, "invalid_request_error") or field not in message:
                wrong[name] = status, kind, message
        assert await line.usable()
    assert wrong == {}
    assert twin.ledger()["calls"] == 0


@pytest.mark.parametrize(
    "messages",
    [
        [5],
        [{"role": "user"}],
        [{"role": "user", "content": 5}],
        [{"role": "user", "content": [{"type": "text"}]}],
        [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}],
        [{"role": "assistant", "content": [{"type": "tool_use", "name": "x"}]}],
    ],
)
async def test_turns_that_cannot_be_translated(gate: Gate, twin: Twin, messages: Any) -> None:
    """Where another maker's model serves, they are refused before anything is spent."""
    answer = await gate.post(MESSAGES, body(messages=messages), anthropic_version="2023-06-01")
    assert of(answer)[0] == 400
    assert twin.ledger()["charged_tokens"] == 0


async def test_a_path_that_nobody_knows(gate: Gate, twin: Twin) -> None:
    """404 in the form of who asks."""
    answer = await gate.post("/v2/messages", body(), anthropic_version="2023-06-01")
    assert of(answer)[:2] == (404, "not_found_error")
    assert twin.ledger()["calls"] == 0


async def test_a_wrong_policy_for_cuts(gate: Gate, twin: Twin) -> None:
    """The header is named."""
    answer = await gate.post(MESSAGES, body(), anthropic_version="2023-06-01", x_tidegate_on_cut="hope")
    assert of(answer)[0] == 400
    assert "x-tidegate-on-cut" in of(answer)[2]
    assert twin.ledger()["calls"] == 0
