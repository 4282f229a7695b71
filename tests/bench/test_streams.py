"""What the rows about streams read out of bytes."""

import pytest

from bench.proofs.stage import events, failed, finished, question, spoken, usages
from bench.proofs.streams.price import CHUNKS, ROUNDS, _tap, stream_of
from tidegate.model.call import Kind

CHAT = b"".join(stream_of(Kind.CHAT, 3))
MESSAGES = b"".join(stream_of(Kind.MESSAGES, 3))
CHAT_ERROR = b'data: {"error":{"message":"cut","code":"upstream_cut"}}\n\n'
MESSAGES_ERROR = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"cut"}}\n\n'


@pytest.mark.parametrize("stream", [CHAT, MESSAGES])
def test_a_whole_stream(stream: bytes) -> None:
    """Its tokens, its one usage, its end, in either dialect."""
    told = events(stream)
    assert spoken(told) == [1, 2, 3]
    assert finished(told)
    assert not failed(told)
    assert [completion for _, completion in usages(told)] == [3]


@pytest.mark.parametrize(
    ("stream", "error"),
    [(CHAT[: CHAT.index(b" t3")], CHAT_ERROR), (MESSAGES[: MESSAGES.index(b" t3")], MESSAGES_ERROR)],
)
def test_a_cut_stream(stream: bytes, error: bytes) -> None:
    """What came, no end, and the error as its last event."""
    whole = stream[: stream.rindex(b"\n\n") + 2]
    assert not failed(events(whole))
    told = events(whole + error)
    assert spoken(told) == [1, 2]
    assert failed(told)
    assert not finished(told)


def test_comments_and_other_lines_are_no_events() -> None:
    """A seam's comment, pings of no data, the end mark."""
    assert events(b": continued\n\nevent: ping\n\ndata: [DONE]\n\n") == []
    assert not failed([])


def test_a_question_is_one_in_both_dialects() -> None:
    """The fields that both makers require."""
    asked = question("m", 7, stream=False, extra=1)
    assert (asked["model"], asked["max_tokens"], asked["stream"], asked["extra"]) == ("m", 7, False, 1)


@pytest.mark.parametrize("spoken_kind", [Kind.CHAT, Kind.MESSAGES])
@pytest.mark.parametrize("asked", [Kind.CHAT, Kind.MESSAGES, Kind.RESPONSES])
def test_what_is_priced_is_a_stream(asked: Kind, spoken_kind: Kind) -> None:
    """Every pair gets every token through, so that no price is that of a failure."""
    tap = _tap(asked, spoken_kind)
    out = b"".join(map(tap.feed, stream_of(spoken_kind, 5)))
    assert tap.finished
    assert not tap.failure
    assert b" t5" in out
    assert CHUNKS * ROUNDS > 10_000
