"""What is wrong with a request of the Responses API is said in OpenAI's form, and nothing hangs."""

import json
from typing import Any

from harness.twin import Twin
from tests.e2e.stand import USER, Gate, Line, request
from tests.twin.http import Answer

RESPONSES = "/v1/responses"
DEEP = 200_000
MIB = 1_048_576


def message(**fields: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "max_tokens": 20, "messages": USER} | fields).encode()


def response(**fields: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "input": "hello"} | fields).encode()


ANY: dict[str, bytes] = {  # whatever API it is
    "nothing": b"",
    "half an object": b'{"model": "gpt-4o", ',
    "two values": message() + message(),
    "a list": b"[]",
    "null": b"null",
    "only NUL bytes": bytes(100),
    "a byte order mark": b"\xef\xbb\xbf" + message(),
    "UTF-16": message().decode().encode("utf-16"),
    "invalid UTF-8": b'{"model": "gpt-4o", "messages": "\xff\xfe"}',
    "deep nesting": b'{"model":"gpt-4o","max_tokens":1,"messages":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "no model": b'{"max_tokens":1,"messages":[],"input":"x"}',
    "model a number": message(model=5, input="x"),
    "model a name of 100 kB": message(model="x" * 100_000, input="x"),
    "stream a text": message(stream="yes", input="x"),
}
WRONG_RESPONSES: dict[str, bytes] = {
    "no input": b'{"model":"gpt-4o"}',
    "input a number": response(input=5),
    "max_output_tokens negative": response(max_output_tokens=-1),
}


def openais(answer: Answer) -> bool:
    """Its form, with a message."""
    error = answer.json["error"]
    return set(error) == {"message", "type", "param", "code"} and bool(error["message"])


async def test_bad_responses(gate: Gate, twin: Twin) -> None:
    """400 in OpenAI's form, with what would help."""
    wrong = {}
    async with Line(gate) as line:
        for name, data in (ANY | WRONG_RESPONSES).items():
            line.send(request(RESPONSES, data))
            answer = await line.reply()
            if answer.status != 400 or not openais(answer):
                wrong[name] = answer.status, answer.body[:200]
        assert await line.usable()
    assert wrong == {}
    assert twin.ledger()["calls"] == 0


async def test_what_the_wire_refuses(gate: Gate) -> None:
    """Too large a body, the wrong method."""
    too_large = b"POST /v1/responses HTTP/1.1\r\nhost: gate\r\ncontent-length: %d\r\n\r\n" % (100 * MIB)
    for data, status in ((b"GET /v1/responses HTTP/1.1\r\nhost: gate\r\n\r\n", 405), (too_large, 413)):
        async with Line(gate) as line:
            line.send(data)
            answer = await line.reply()
            assert answer.status == status
            assert openais(answer)
