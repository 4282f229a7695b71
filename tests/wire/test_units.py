"""The small pure parts: dates, chunks, time limits, the sweep."""

import asyncio
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.testing.clock import ManualClock
from tidegate.wire.chunked import ChunkedBody
from tidegate.wire.head import BadHead
from tidegate.wire.limit import TimeLimit
from tidegate.wire.reply import date_line, status_line
from tidegate.wire.sweep import Sweep

SECOND = 1_000_000


@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(9999, 12, 31)))
def test_dates(moment):
    """As the standard library writes them, whatever the locale."""
    wall = (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1) * SECOND
    expected = (
        moment.replace(microsecond=0).strftime("date: %a, %d %b ")
        + f"{moment.year:04}"
        + moment.strftime(" %H:%M:%S GMT\r\n")
    )
    assert date_line(wall) == expected.encode()


def test_status_lines():
    """With their phrase where there is one; only final statuses."""
    assert status_line(429) == b"HTTP/1.1 429 Too Many Requests\r\n"
    assert status_line(529) == b"HTTP/1.1 529 \r\n"
    for status in (100, 199, 600, -1):
        with pytest.raises(ValueError, match="no final"):
            status_line(status)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.data())
def test_chunks_are_put_together_however_they_are_cut(pieces, data):
    """The body is the pieces, and what follows the end is given back to the byte."""
    raw = b"".join(b"%x;x=y\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nA: b\r\n\r\n" + b"GET / HTTP"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=5)))
    chunked = ChunkedBody(1_000)
    body = rest = b""
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        if chunked.done:
            rest += raw[start:end]
        else:
            found, rest = chunked.feed(raw[start:end])
            body += b"".join(found)
    assert (chunked.done, body, rest) == (True, b"".join(pieces), b"GET / HTTP")


def test_chunks_up_to_the_limit():
    """Exactly the limit is allowed; one more is not, though its bytes have not come."""
    ChunkedBody(10).feed(b"a\r\n")
    with pytest.raises(BadHead) as caught:
        ChunkedBody(10).feed(b"5\r\nabcde\r\n6\r\n")
    assert caught.value.status == 413


@pytest.mark.parametrize("raw", [b"1" * 300, b"0\r\n" + b"X" * 9_000, b"0\r\n" + b"X: y\r\n" * 2_000])
def test_lines_between_chunks_have_a_bound(raw):
    """Also when they never end."""
    chunked = ChunkedBody(10)
    with pytest.raises(BadHead, match="long"):
        for at in range(0, len(raw), 100):
            chunked.feed(raw[at : at + 100])


async def test_a_time_limit_is_passed_on_as_timeout():
    """On the clock that was given."""
    clock = ManualClock()

    async def wait():
        async with TimeLimit(clock, clock.now() + SECOND):
            await asyncio.Event().wait()

    waiting = asyncio.ensure_future(wait())
    await clock.advance(SECOND - 1)
    assert not waiting.done()
    await clock.advance(1)
    with pytest.raises(TimeoutError):
        await waiting


async def test_a_time_limit_that_is_kept():
    """Leaves no timer."""
    clock = ManualClock()
    async with TimeLimit(clock, clock.now() + SECOND):
        await asyncio.sleep(0)
    assert clock.pending == []


async def test_a_cancellation_from_outside_stays_one():
    """Also when the limit is passed at the same moment."""
    clock = ManualClock()

    async def wait():
        async with TimeLimit(clock, clock.now() + SECOND):
            await asyncio.Event().wait()

    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    both = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    both.cancel()
    clock._timers[-1].callback()
    with pytest.raises(asyncio.CancelledError):
        await both


async def test_another_error_is_not_covered_up():
    """By the limit."""
    clock = ManualClock()
    with pytest.raises(KeyError):
        async with TimeLimit(clock, clock.now() + SECOND):
            raise KeyError


async def test_the_sweep_ticks_while_it_runs():
    """Once per interval; `now` stands still in between and when it is stopped."""
    clock = ManualClock()
    ticks = []
    sweep = Sweep(clock, 100, ticks.append)
    began = clock.now()
    await clock.advance(1_000)
    assert (ticks, sweep.running) == ([], False)
    sweep.start()
    sweep.start()
    await clock.advance(350)
    assert ticks == [began + 1_000 + n for n in (100, 200, 300)]
    assert sweep.now == ticks[-1]
    sweep.stop()
    sweep.stop()
    await clock.advance(1_000)
    assert (len(ticks), clock.pending) == (3, [])
