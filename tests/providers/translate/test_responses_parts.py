"""Parts, messages, thoughts and calls as JSON that OpenAI's types read."""

import json

import pytest
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseReasoningItem
from pydantic import TypeAdapter

from tidegate.providers.translate.responses_parts import REFUSAL, TEXT, THOUGHT, Call, Kind, Part, Spoken


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (TEXT, {"type": "output_text", "text": 'a"b', "annotations": [], "logprobs": []}),
        (REFUSAL, {"type": "refusal", "refusal": 'a"b'}),
        (THOUGHT, {"type": "reasoning_text", "text": 'a"b'}),
    ],
)
def test_a_part_grows(kind: Kind, expected: dict[str, object]) -> None:
    """By escaped text."""
    part = Part(kind, b"")
    part.text += b'a\\"'
    part.text += b"b"
    assert json.loads(part.json()) == expected
    assert part.event == b"response.%b.delta" % kind.name


@pytest.mark.parametrize("status", [b"in_progress", b"completed", b"incomplete"])
def test_items_are_the_sdks(status: bytes) -> None:
    """A message, a thought and a call, at every stage."""
    message, thought = Spoken(b"message", b"msg_1", 0), Spoken(b"reasoning", b"rs_1", 0)
    message.parts += [Part(TEXT, b"").json(), Part(REFUSAL, b"").json()]
    thought.parts.append(Part(THOUGHT, b"").json())
    assert TypeAdapter(ResponseOutputMessage).validate_json(message.json(status)).status == status.decode()
    assert TypeAdapter(ResponseReasoningItem).validate_json(thought.json(status)).content
    call = Call('call"1')
    call.id, call.name = b"fc_1", 'f"'
    told = TypeAdapter(ResponseFunctionToolCall).validate_json(call.json(status, b'{\\"a\\":1}'))
    assert (told.call_id, told.name, told.arguments, told.status) == ('call"1', 'f"', '{"a":1}', status.decode())
