"""What is said on the semantic process's socket."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.cache.semantic_frames import (
    LARGEST,
    Ask,
    Compared,
    Count,
    Done,
    Explain,
    Explained,
    Feedback,
    Frames,
    Gone,
    Learn,
    Ping,
    Reply,
    Request,
    Stats,
    Told,
    encode,
    replies,
    requests,
)

REQUESTS: list[Request] = [
    Ask(1, 2, b"s", "text", b"vector", "on", 10, 900, "answers", 80_000),
    Learn(b"s", "text", b"", b"k", 3, "n", "p/m", "s", ("a", "b"), 9, 8),
    Compared(4, "one", "two", None),
    Compared(4, "", "", same=False),
    Gone(b"k"),
    Feedback(5, 6, correct=True),
    Explain(7, 8),
    Count(9),
    Ping(10),
]
REPLIES: list[Reply] = [
    Told(1, b"k", 950, 2, serve=True, explore=False, why=""),
    Done(2, known=False),
    Explained(3, known=True, why="lexical:number"),
    Stats(4, refused={"below": 2}),
]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_messages_arrive_as_they_were_however_they_are_cut(cuts: list[int]) -> None:
    """Requests at the process, replies at the client."""
    data = b"".join([encode(message) for message in (*REQUESTS, *REPLIES)])
    frames, payloads, at = Frames(), [], 0
    for size in (*cuts, len(data)):
        payloads += frames.feed(data[at : at + size])
        at += size
    asked = [requests().decode(payload) for payload in payloads[: len(REQUESTS)]]
    told = [replies().decode(payload) for payload in payloads[len(REQUESTS) :]]
    assert (asked, told) == (REQUESTS, REPLIES)


def test_what_is_too_large_is_refused_before_it_is_there() -> None:
    """Nobody gathers it."""
    with pytest.raises(ValueError, match="at most"):
        Frames().feed((LARGEST + 1).to_bytes(4, "big"))


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgspec.msgpack.encode(["unheard of", 1]), encode(REPLIES[0])[4:]])
def test_what_is_no_request_is_a_value_error(payload: bytes) -> None:
    """Whatever else it is."""
    with pytest.raises(ValueError, match=r"."):
        requests().decode(payload)
