"""What a client got, read from bytes that were written by hand."""

import json

import pytest

from tidegate.judge.hearing import Heard, streamed, unary


def chunk(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def said(text: str, reason: str | None = None) -> bytes:
    return chunk(choices=[{"delta": {"content": text}, "finish_reason": reason}])


DONE = b"data: [DONE]\n\n"
WHOLE = said(" t1") + said(" t2") + said("", "stop")


def test_a_whole_chat() -> None:
    """All tokens, a reason to stop, the last word, and usage as it was told."""
    heard = streamed(200, WHOLE + chunk(choices=[], usage={"total_tokens": 9}) + DONE)
    assert heard.whole(2)
    assert heard.tokens == 9
    assert not heard.told
    assert not heard.whole(3)


@pytest.mark.parametrize(
    ("raw", "broken", "told"),
    [
        (said(" t1"), "", False),  # a clean end in the middle
        (said(" t1") + DONE, "", False),
        (WHOLE, "", False),  # without the last word
        (said(" t1"), "connection lost", True),
        (said(" t1") + chunk(error={"message": "upstream went away"}), "", True),
        (said(" t1") + b"data: {broken\n\n" + said(" t2", "stop") + DONE, "", False),  # nobody can read that
    ],
)
def test_what_is_not_whole_is_told_or_not(raw: bytes, broken: str, told: bool) -> None:
    """A client can see an error event and a connection that breaks off; it cannot see a clean end."""
    heard = streamed(200, raw, broken)
    assert not heard.whole(2)
    assert heard.told is told


def test_messages_in_events() -> None:
    """Anthropic's events: text, a reason to stop, usage from the beginning and the end together."""
    raw = (
        chunk(type="message_start", message={"usage": {"input_tokens": 11, "output_tokens": 1}})
        + chunk(type="content_block_delta", delta={"type": "text_delta", "text": " t1 t2"})
        + chunk(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2})
    )
    assert not streamed(200, raw).whole(2)
    heard = streamed(200, raw + chunk(type="message_stop"))
    assert heard.whole(2)
    assert heard.tokens == 13
    assert streamed(200, raw + chunk(type="error", error={"type": "overloaded_error"})).error == "overloaded_error"


@pytest.mark.parametrize(
    ("status", "body", "whole", "tokens"),
    [
        (200, {"choices": [{"message": {"content": " t1 t2"}, "finish_reason": "stop"}], "usage": {"total_tokens": 7}},
         True, 7),
        (200, {"content": [{"type": "text", "text": " t1 t2"}], "stop_reason": "end_turn",
               "usage": {"input_tokens": 5, "output_tokens": 2}}, True, 7),
        (429, {"error": {"message": "later"}}, False, None),
        (200, {"error": "a string"}, False, None),
        (200, [], False, None),
    ],
)  # fmt: skip
def test_replies_in_one_piece(status: int, body: object, whole: bool, tokens: int | None) -> None:
    """Both dialects, and errors in any form."""
    heard = unary(status, json.dumps(body).encode())
    assert heard.whole(2) is whole
    assert heard.tokens == tokens


def test_half_a_body_is_no_answer() -> None:
    """A cut JSON document with status 200 is garbled, and no error that anybody was told."""
    heard = unary(200, b'{"choices": [{"mess')
    assert heard.garbled
    assert not heard.whole(2)
    assert not heard.told


def test_doubled_and_lost_tokens_show() -> None:
    """The twin's words are numbered, so a retry in the middle of a stream shows as a gap."""
    assert Heard(text=" t1 t2 t3").gapless
    assert not Heard(text=" t1 t1 t2").gapless
    assert not Heard(text=" t2 t3").gapless
