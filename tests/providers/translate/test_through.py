"""Two crossings as one."""

import json

from tests.providers.translate.wire import (
    CREATED,
    completion,
    completion_chunks,
    dumped,
    gathered_chat,
    gathered_message,
)
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.through import Through

ASKED = {
    "model": "m",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "Q"}],
    "top_k": 3,
    "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
    "stream": True,
}


def test_there_and_back() -> None:
    """Request, answer and stream go through both; what either drops is named once."""
    twice = Through(MessagesToChat(), Through(ChatToMessages(), MessagesToChat()))
    crossed = twice.request(dumped(ASKED), "gpt-4o", CREATED)
    once = MessagesToChat().request(dumped(ASKED), "gpt-4o", CREATED)
    assert json.loads(crossed.body) == json.loads(once.body)
    assert crossed.dropped == once.dropped == ("top_k", "cache_control")
    whole = completion(content="Hello")
    assert json.loads(crossed.reply.answer(dumped(whole))) == json.loads(once.reply.answer(dumped(whole)))
    raw = completion_chunks(whole)
    stream = crossed.reply.stream()
    said = b"".join([stream.feed(one) for one in raw])
    assert gathered_message(said) == gathered_message(once.reply.stream().feed(b"".join(raw)))


def test_names_of_both() -> None:
    """The first's, then the second's, each once."""
    hot = ASKED | {"temperature": 1.5, "service_tier": "new"}
    crossed = Through(MessagesToChat(), ChatToMessages()).request(dumped(hot), "m", CREATED)
    assert crossed.dropped == ("top_k", "cache_control", "service_tier", "temperature")


def test_names_as_the_client_calls_them() -> None:
    """What the second drops has the name that the first's dialect has for it; what both drop is named once."""
    through = Through(MessagesToChat(), ChatToMessages(), {"temperature": "top_k", "service_tier": "other"})
    assert through.request(dumped(ASKED | {"temperature": 1.5}), "m", CREATED).dropped == ("top_k", "cache_control")


def test_nothing_to_say() -> None:
    """What the provider says in passing reaches nobody."""
    stream = Through(MessagesToChat(), ChatToMessages()).request(dumped(ASKED), "m", CREATED).reply.stream()
    assert stream.feed(b'event: ping\ndata: {"type":"ping"}\n\n') == b""


def test_the_second_is_the_provider() -> None:
    """Its dialect comes in, and the first's goes out."""
    asked = dumped({"model": "m", "messages": ASKED["messages"], "stream": True})
    reply = Through(ChatToMessages(), MessagesToChat()).request(asked, "gpt-4o", CREATED).reply
    whole = completion("length", content="Hello")
    assert json.loads(reply.answer(dumped(whole)))["choices"][0]["finish_reason"] == "length"
    said = gathered_chat(reply.stream().feed(b"".join(completion_chunks(whole))))
    assert (said["content"], said["finish"], said["ended"]) == ("Hello", "length", True)
