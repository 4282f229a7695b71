"""What a conversation keeps while it grows."""

import json

import pytest

from tidegate.model.call import Kind
from tidegate.providers.opening import opening, session

SYSTEM = {"role": "system", "content": "Be brief."}
FIRST = {"role": "user", "content": "Hello"}
REPLY = {"role": "assistant", "content": "Hi"}
SECOND = {"role": "user", "content": "And?"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def chat(*messages: object, **fields: object) -> bytes:
    return json.dumps({"model": "a", "messages": messages, **fields}).encode()


def test_the_opening_stays_while_the_conversation_grows() -> None:
    """Whatever follows the first message of the user, and however it is sampled."""
    first = opening(Kind.CHAT, chat(SYSTEM, FIRST))
    assert first == opening(Kind.CHAT, chat(SYSTEM, FIRST, REPLY, SECOND, temperature=1, stream=True))
    assert len(first) == 5


@pytest.mark.parametrize(
    "other",
    [chat(SYSTEM, SECOND), chat(FIRST), chat(SYSTEM, FIRST, tools=TOOLS), chat(REPLY, SYSTEM, FIRST)],
)
def test_another_opening_is_another_conversation(other: bytes) -> None:
    """Another question, other instructions, other tools."""
    assert opening(Kind.CHAT, other) != opening(Kind.CHAT, chat(SYSTEM, FIRST))


def test_instructions_beside_the_messages_are_part_of_it() -> None:
    """Where the maker keeps them apart."""
    one, other = (json.dumps({"system": text, "messages": [FIRST]}).encode() for text in ("Be brief.", "Be long."))
    assert opening(Kind.MESSAGES, one) != opening(Kind.MESSAGES, other)


def test_an_input_is_a_conversation_too() -> None:
    """A list of items up to the first of the user, or a text."""

    def ask(*items: object) -> bytes:
        return json.dumps({"instructions": "Be brief.", "input": items}).encode()

    assert opening(Kind.RESPONSES, ask(FIRST)) == opening(Kind.RESPONSES, ask(FIRST, REPLY, SECOND)) != ()
    assert opening(Kind.RESPONSES, ask(FIRST)) != opening(Kind.RESPONSES, ask(SECOND))
    assert opening(Kind.RESPONSES, b'{"input":"hello"}') != opening(Kind.RESPONSES, b'{"input":"bye"}')
    assert opening(Kind.RESPONSES, b"{}") == ()


def test_without_the_user_all_of_it_counts() -> None:
    """Nobody asked yet."""
    assert len(opening(Kind.CHAT, chat(SYSTEM, REPLY))) == 5


def test_a_completion_begins_with_its_text() -> None:
    """Its first bytes."""
    long = json.dumps({"prompt": "x" * 10_000}).encode()
    longer = json.dumps({"prompt": "x" * 10_000 + "y"}).encode()
    assert opening(Kind.COMPLETION, long) == opening(Kind.COMPLETION, longer) != ()


@pytest.mark.parametrize("body", [b"", b"{", b'{"messages":[]}', b'{"messages":["x"]}', b'{"messages":{}}', b"[]"])
def test_what_cannot_be_read_has_no_opening(body: bytes) -> None:
    """The call is served all the same."""
    assert opening(Kind.CHAT, body) == ()


def test_embeddings_have_none() -> None:
    """They are no conversations."""
    assert opening(Kind.EMBEDDING, b'{"input":"x"}') == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ""),
        ({"user": "u"}, "u"),
        ({"user": "u", "prompt_cache_key": "k"}, "k"),
        ({"user": 7}, ""),
        ({"user": None, "prompt_cache_key": "k"}, "k"),
    ],
)
def test_the_session_that_a_body_names(fields: dict[str, object], said: str) -> None:
    """The key of its cache before its end user."""
    assert session(chat(FIRST, **fields)) == said
