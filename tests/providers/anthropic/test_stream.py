"""Anthropic's streams cut at every byte: the same is forwarded, counted and decided."""

import json

import pytest

from tidegate.model.outcome import Usage
from tidegate.providers.anthropic.stream import MessageTap


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


USAGE = {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 90}
START = event("message_start", message={"id": "msg_1", "usage": USAGE})
PING = event("ping")
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
WORDS = [
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    for text in ("Hello", " 世界", ' "error" }\n\n')
]
STOP = event("content_block_stop", index=0)
DELTA = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3})
END = event("message_stop")
STREAM = b"".join([START, PING, BLOCK, *WORDS, STOP, DELTA, END])


def told(tap: MessageTap, *pieces: bytes) -> bytes:
    return b"".join(tap.feed(piece) for piece in pieces)


def state(tap: MessageTap) -> tuple[object, ...]:
    return tap.usage, tap.prompt, tap.finished, tap.committed, tap.failure, tap.events


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_cut_in_two_at_every_offset(newline: bytes) -> None:
    """Byte for byte the provider's stream, whatever the network does with it."""
    stream = STREAM.replace(b"\n", newline)
    for cut in range(len(stream) + 1):
        tap = MessageTap()
        assert told(tap, stream[:cut], stream[cut:]) == STREAM, cut
        assert state(tap) == (Usage(99, 3, 90), 99, True, True, b"", 3), cut


def test_event_by_event() -> None:
    """The short way and the long way agree."""
    tap = MessageTap()
    assert told(tap, START, PING, BLOCK, *WORDS, STOP, DELTA, END, b"event: x\n") == STREAM
    assert state(tap) == (Usage(99, 3, 90), 99, True, True, b"", 3)


def test_before_the_first_content_it_may_be_taken_back() -> None:
    """An opening, a ping and an empty block are no answer; a word is."""
    tap = MessageTap()
    told(tap, START, PING, BLOCK)
    assert not tap.committed
    told(tap, WORDS[0])
    assert tap.committed


def test_cut_short_its_prompt_is_known() -> None:
    """And its output is not."""
    tap = MessageTap()
    told(tap, START, BLOCK, *WORDS)
    assert (tap.usage, tap.prompt, tap.events, tap.finished) == (None, 99, 3, False)


def test_a_later_count_of_the_input_counts() -> None:
    """Some endings restate it."""
    tap = MessageTap()
    told(tap, START, WORDS[0], event("message_delta", usage={"input_tokens": 20, "output_tokens": 4}), END)
    assert tap.usage == Usage(20, 4)


@pytest.mark.parametrize("before", [[], [START], [START, WORDS[0]]])
def test_an_error_event_is_a_failure_in_its_own_words(before: list[bytes]) -> None:
    """Nothing of it, and nothing after it, is forwarded."""
    words = {"type": "overloaded_error", "message": "Overloaded"}
    tap = MessageTap()
    assert told(tap, *before, event("error", error=words), *WORDS, END) == b"".join(before)
    assert json.loads(tap.failure)["error"] == words
    assert not tap.finished


@pytest.mark.parametrize("broken", [b"event: content_block_delta\ndata: {\n\n", b"data: x\n\n", b"data: \xff\n\n"])
def test_a_malformed_event_is_a_failure(broken: bytes) -> None:
    """Before the first content and after it."""
    for before in ([], [START, WORDS[0]]):
        tap = MessageTap()
        assert told(tap, *before, broken, END) == b"".join(before)
        assert b"malformed" in tap.failure


def test_what_is_new_is_forwarded() -> None:
    """Events of a shape that is not ours to judge are content."""
    tap = MessageTap()
    new = b"data: [1]\n\n" + event("thought", depth=3)
    assert told(tap, START, new) == START + new
    assert tap.committed


def test_the_service_tier_is_known_from_the_start() -> None:
    """What the end says of the tokens does not say it again."""
    tap = MessageTap()
    told(tap, event("message_start", message={"usage": {**USAGE, "service_tier": "priority"}}))
    assert (tap.tier, tap.usage) == ("priority", None)
    told(tap, BLOCK, DELTA)
    assert tap.usage == Usage(99, 3, 90, tier="priority")
    told(tap, event("message_delta", delta={}, usage={"input_tokens": 9, "output_tokens": 4}))
    assert tap.usage == Usage(9, 4, tier="priority")
