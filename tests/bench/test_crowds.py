"""Equal calls at once: who leaves, and what counts as a whole answer."""

import asyncio
import random

import pytest

from bench.proofs.caching.crowds import Crowd, _answer, _leavers
from bench.proofs.caching.strangers import given
from harness.plain import Reply

HEAD = b"HTTP/1.1 200 OK\r\n"


def reader(data: bytes) -> asyncio.StreamReader:
    made = asyncio.StreamReader()
    made.feed_data(data)
    made.feed_eof()
    return made


def test_the_leader_is_among_those_that_leave() -> None:
    """And as many of the others as was asked for; the same ones each time."""
    crowd = Crowd(stream=True, leaving=0.4, seed=3)
    leavers = _leavers(crowd, random.Random(crowd.seed))
    assert 0 in leavers
    assert 300 < len(leavers) < 500
    assert leavers == _leavers(crowd, random.Random(crowd.seed))
    assert _leavers(Crowd(stream=True, leaving=0, seed=3), random.Random(3)) == {}


async def test_whole_answers_are_read() -> None:
    """By their length, or to the last chunk, without the framing."""
    assert await _answer(reader(HEAD + b"Content-Length: 2\r\n\r\n{}")) == b"{}"
    chunks = b"6\r\ndata: \r\n8\r\n[DONE]\n\n\r\n0\r\n\r\n"
    assert await _answer(reader(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)) == b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Length: 9\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\nda",
    ],
)
async def test_what_is_no_whole_answer_is_none(reply: bytes) -> None:
    """Errors, and what is cut, whole or streamed."""
    with pytest.raises((ValueError, EOFError)):
        await _answer(reader(reply))


def test_an_answer_that_nobody_made_was_given() -> None:
    """Whatever its head says; and one that calls itself a hit, whoever was asked meanwhile."""
    assert given(Reply(200, {}, b""), 0)
    assert given(Reply(200, {"x-tidegate-cache": "semantic"}, b""), 1)
    assert not given(Reply(200, {"x-tidegate-cache": "miss"}, b""), 1)
    assert not given(Reply(504, {}, b""), 0)
