"""What an upstream can do wrong, and what the pool makes of it."""

import asyncio
import os
import socket

import pytest

from tests.wire.app import until
from tests.wire.test_upstream import HEAD, OK, SECOND, Sink, Source, send
from tidegate.ports import TransportError

__all__ = ["send"]  # the fixture

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def fails(sending, *, sent=True, match="."):
    with pytest.raises(TransportError, match=match) as caught:
        await sending
    assert caught.value.sent is sent


# ── odd but right ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_interim_replies_are_skipped(origins, pools, send, interim, stream):
    """However they are cut; the final one is the reply, with its headers only."""
    raw = interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    for at in (0, len(interim) - 1, len(interim), len(interim) + 5):

        async def script(reader, writer, at=at):
            await origin.request(reader)  # noqa: B023 - the origin that this script makes, one per round
            writer.write(raw[:at])
            await writer.drain()
            for _ in range(5):
                await asyncio.sleep(0)
            writer.write(raw[at:])

        origin = await origins(script)
        reply = await send(pools(origin), stream=stream)
        assert (reply.status, reply.headers) == (200, [(b"content-length", b"2")])
        if reply.stream is not None:
            sink = Sink()
            reply.stream.attach(sink)
            await until(lambda sink=sink: sink.over)
            assert (sink.data, sink.ended) == (b"ok", 1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
async def test_a_reply_that_ends_with_the_connection(origins, pools, send, head, stream):
    """Ends there and not before; the connection is not used again."""
    origin = await origins(b"")
    origin._scripts = [origin.answers(head + b"all of it", close=True)]
    pool = pools(origin)
    reply = await send(pool, stream=stream)
    if stream:
        sink = Sink()
        reply.stream.attach(sink)
        await until(lambda: sink.over)
        assert (sink.data, sink.ended, sink.error) == (b"all of it", 1, None)
    else:
        assert reply.body == b"all of it"
    assert pool.statistics().connections == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_that_ends_with_a_reset_is_incomplete(origins, pools, send, stream):
    """An end of the connection that is no orderly one proves nothing."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.answers(b"HTTP/1.1 200 OK\r\n\r\nsome of it")(reader, writer)
        await gate.wait()
        await origin.answers(reset=True)(reader, writer)

    origin = await origins(script)
    sending = asyncio.ensure_future(send(pools(origin), stream=stream))
    await until(lambda: bool(origin.requests))
    if stream:
        reply = await sending
        sink = Sink()
        reply.stream.attach(sink)
        gate.set()
        await until(lambda: sink.over)
        assert sink.error is not None
        assert sink.error.sent
    else:
        gate.set()
        await fails(sending)


@pytest.mark.parametrize("status", [204, 304])
async def test_replies_without_a_body_by_their_status(origins, pools, send, status):
    """Whatever length they name; the connection is used again."""
    origin = await origins(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
    pool = pools(origin)
    for _ in range(2):
        reply = await send(pool)
        assert (reply.status, reply.body) == (status, b"")
    assert origin.connections == 1


async def test_a_reply_to_head_has_no_body(origins, pools, send):
    """Whatever length it names."""
    origin = await origins(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    pool = pools(origin)
    for _ in range(2):
        reply = await send(pool, b"", head=b"HEAD / HTTP/1.1\r\nhost: a\r\n")
        assert (reply.status, reply.body, reply.headers) == (200, b"", [(b"content-length", b"500")])


async def test_a_reply_to_head_with_a_body_all_the_same(origins, pools, send):
    """The bytes belong to nobody, and the connection is not used again."""
    origin = await origins(OK)
    pool = pools(origin)
    assert (await send(pool)).body == b"ok"
    reply = await send(pool, b"", head=b"HEAD / HTTP/1.1\r\nhost: a\r\n")
    assert (reply.body, (await send(pool)).body) == (b"", b"ok")
    assert origin.connections == 2


async def test_trailers_are_dropped(origins, pools, send):
    """They are no headers, and the next reply does not get them either."""
    origin = await origins(CHUNKED + b"2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n")
    pool = pools(origin)
    for _ in range(2):
        reply = await send(pool)
        assert (reply.body, reply.headers) == (b"ok", [(b"transfer-encoding", b"chunked")])
    assert origin.connections == 1


async def test_connection_close_is_obeyed(origins, pools, send):
    """The next request opens another connection."""
    origin = await origins(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    pool = pools(origin)
    for _ in range(2):
        assert (await send(pool)).body == b"ok"
    assert origin.connections == 2


async def test_a_status_without_a_phrase(origins, pools, send):
    """Is one."""
    origin = await origins(b"HTTP/1.1 529\r\nContent-Length: 0\r\n\r\n")
    assert (await send(pools(origin))).status == 529


# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────────────

MALFORMED = {
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "cl and te": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "te and cl": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "identity": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "nul in a header": b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60_000,
    "a malformed first chunk": CHUNKED + b"zz\r\nok\r\n0\r\n\r\n",
    "a malformed later chunk": CHUNKED + b"2\r\nok\r\nzz\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\nokay\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_reply_fails_and_closes(origins, pools, send, raw):
    """Whatever it is that is wrong; the request may have had its effect."""
    origin = await origins(raw)
    pool = pools(origin)
    await fails(send(pool))
    await until(lambda: origin.closed == 1)
    assert pool.statistics().connections == 0


@pytest.mark.parametrize("tail", [b"zz\r\n", b"2\r\nokay\r\n", b"-1\r\n"])
async def test_a_malformed_chunk_fails_a_stream(origins, pools, send, tail):
    """After what was right has been delivered."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(CHUNKED + b"2\r\nok\r\n")
        await gate.wait()
        writer.write(tail)

    origin = await origins(script)
    reply = await send(pools(origin), stream=True)
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: sink.data == b"ok")
    gate.set()
    await until(lambda: sink.over)
    assert (sink.ended, "malformed" in str(sink.error)) == (0, True)


REPLY = b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("at", range(0, len(REPLY), 3))
async def test_a_reply_cut_anywhere_fails(origins, pools, send, at, reset):
    """An orderly end or a reset: what is not complete is not returned."""
    origin = await origins(b"")
    origin._scripts = [origin.answers(REPLY[:at], reset=reset, close=True)]
    await fails(send(pools(origin)))


@pytest.mark.parametrize("at", range(REPLY.index(b"\r\n\r\n") + 4, len(REPLY), 2))
async def test_a_stream_cut_anywhere_fails(origins, pools, send, at):
    """It never ends cleanly, and fails once."""
    origin = await origins(b"")
    origin._scripts = [origin.answers(REPLY[:at], close=True)]
    reply = await send(pools(origin), stream=True)
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: sink.over)
    assert (sink.ended, b"onetwo".startswith(sink.data)) == (0, True)


async def test_a_stream_that_failed_before_it_is_read(origins, pools, send):
    """Tells its sink what there was, and then that it failed."""
    origin = await origins(b"")
    origin._scripts = [origin.answers(CHUNKED + b"3\r\none\r\n", close=True)]
    pool = pools(origin)
    reply = await send(pool, stream=True)
    await until(lambda: pool.statistics().connections == 0)
    sink = Sink()
    reply.stream.attach(sink)
    assert (sink.data, sink.ended, sink.error is not None) == (b"one", 0, True)


async def test_a_failing_sink_does_not_hang(origins, pools, send, caplog):
    """The connection is closed and the error is on record."""

    class Failing(Sink):
        def chunk(self, data):
            raise ValueError("on purpose")

    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(CHUNKED)
        await gate.wait()
        writer.write(b"3\r\none\r\n")

    origin = await origins(script)
    reply = await send(pools(origin), stream=True)
    sink = Failing()
    reply.stream.attach(sink)
    gate.set()
    await until(lambda: origin.closed == 1)
    assert ("on purpose" in caplog.text, sink.error is not None) == (True, True)


# ── bytes that nobody asked for ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"HT", b"junk"])
async def test_bytes_after_a_reply_close_the_connection(origins, pools, send, extra, stream):
    """The reply is good; what follows it must never be taken for the next one."""
    origin = await origins(OK + extra, OK)
    pool = pools(origin)
    reply = await send(pool, stream=stream)
    if stream:
        sink = Sink()
        reply.stream.attach(sink)
        await until(lambda: sink.over)
        assert sink.data == b"ok"
    else:
        assert reply.body == b"ok"
    assert (await send(pool)).body == b"ok"
    assert origin.connections == 2


async def test_bytes_on_an_idle_connection_close_it(origins, pools, send):
    """They answer nobody's question."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(OK)
        await gate.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    origin = await origins(script, OK)
    pool = pools(origin)
    await send(pool)
    gate.set()
    await until(lambda: pool.statistics().connections == 0)
    assert (await send(pool)).body == b"ok"


# ── connections that are no more ────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_listens(origins, pools, send):
    """Nothing was sent."""
    origin = await origins(OK)
    pool = pools(origin)
    await origin.stop()
    await fails(send(pool), sent=False, match="cannot connect to 127.0.0.1:")


async def test_no_such_host(origins, pools, send):
    """Nor here, be the name unknown or none at all."""
    for host in ("nothing.invalid", "a" * 70 + ".invalid"):
        origin = await origins(OK)
        pool = pools(origin, base_url=f"http://{host}:1")
        await fails(send(pool), sent=False, match="cannot connect")


async def test_a_connection_that_is_not_accepted_in_time(origins, pools, send, clock, monkeypatch):
    """Fails after the connect time-out, with nothing sent, and leaves no place taken."""
    origin = await origins(OK)
    pool = pools(origin, connect_timeout_us=2 * SECOND, max_connections=1)
    gate = asyncio.Event()

    async def never(*_args, **_kwargs):
        await gate.wait()

    monkeypatch.setattr("tidegate.wire.upstream.dial", never)
    sending = asyncio.ensure_future(send(pool))
    await until(lambda: pool.statistics().connecting == 1)
    await clock.advance(2 * SECOND - 1)
    assert not sending.done()
    await clock.advance(1)
    await fails(sending, sent=False, match="in time")
    sending = asyncio.ensure_future(send(pool, within=SECOND))
    await clock.advance(SECOND)
    await fails(sending, sent=False, match="in time")
    cancelled = asyncio.ensure_future(send(pool))
    await until(lambda: pool.statistics().connecting == 1)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert (cancelled.cancelled(), pool.statistics().connecting) == (True, 0)


async def test_a_stale_connection_is_replaced(origins, pools, send):
    """The upstream has closed it while it was idle: nobody notices."""
    origin = await origins(b"")
    origin._scripts = [origin.answers(OK, close=True)]
    pool = pools(origin)
    for number in range(5):
        assert (await send(pool)).body == b"ok"
        await until(lambda number=number: origin.closed == number + 1)
    assert origin.connections == 5


@pytest.mark.parametrize("body", [b"{}", "source"])
async def test_a_connection_that_breaks_on_the_first_write_is_replaced(origins, pools, send, body):
    """The socket refuses the first byte: nothing was sent, so the request goes out on a fresh connection."""
    origin = await origins(OK)
    pool = pools(origin)
    await send(pool)
    stale = next(iter(pool._idle))
    with socket.socket(fileno=os.dup(stale._fd)) as sock:
        sock.shutdown(socket.SHUT_WR)  # as after a reset that the loop has not seen yet: writing raises
    assert (await send(pool, Source(b"abc") if body == "source" else body)).body == b"ok"
    assert (origin.connections, len(origin.requests)) == (2, 2)


async def test_a_connection_that_breaks_after_the_first_byte_is_not_retried(origins, pools, send):
    """The upstream may have acted on the request."""
    origin = await origins(b"")

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(OK)
        await reader.readexactly(1)
        writer.transport.abort()

    origin._scripts = [script]
    pool = pools(origin)
    await send(pool)
    await fails(send(pool), sent=True)
    assert origin.connections == 1


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def silent(origin_box, *pieces):
    async def script(reader, writer):
        await origin_box[0].request(reader)
        for piece in pieces:
            writer.write(piece)

    return script


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("pieces", "limits", "within", "match"),
    [
        ((), {}, 2, "no reply"),
        ((b"HTTP/1.1 200",), {}, 2, "no reply"),
        ((), {"first_byte_timeout_us": 2 * SECOND}, 60, "no reply"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n",), {"first_byte_timeout_us": 2 * SECOND}, 60, "no reply"),
    ],
)
async def test_no_reply_in_time(origins, pools, send, clock, stream, pieces, limits, within, match):
    """Neither the deadline nor the first-byte time-out is passed by more than two sweeps."""
    box = []
    box.append(await origins(silent(box, *pieces)))
    pool = pools(box[0], **limits)
    sending = asyncio.ensure_future(send(pool, stream=stream, within=within * SECOND))
    await until(lambda: bool(box[0].requests))
    for _ in range(20):
        await asyncio.sleep(0)
    await clock.advance(2 * SECOND - 1)
    assert not sending.done()
    await clock.advance(200_000)
    await fails(sending, match=match)
    await until(lambda: box[0].closed == 1)


@pytest.mark.parametrize("limits", [{}, {"idle_timeout_us": 2 * SECOND}])
async def test_a_body_that_stalls(origins, pools, send, clock, limits):
    """Is bounded by the deadline, and by the idle time-out."""
    box = []
    box.append(await origins(silent(box, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")))
    pool = pools(box[0], **limits)
    sending = asyncio.ensure_future(send(pool, within=60 * SECOND if limits else 2 * SECOND))
    await until(lambda: any(connection._phase == 1 for connection in pool._all))
    await clock.advance(2 * SECOND - 1)
    assert not sending.done()
    await clock.advance(200_000)
    await fails(sending, match="body")


async def test_a_stream_that_stalls(origins, pools, send, clock):
    """Fails after the idle time-out; the deadline does not count once it runs."""
    box = []
    box.append(await origins(silent(box, CHUNKED + b"3\r\none\r\n")))
    reply = await send(pools(box[0], idle_timeout_us=5 * SECOND), stream=True, within=SECOND)
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: sink.data == b"one")
    await clock.advance(5 * SECOND - 1)
    assert not sink.over
    await clock.advance(200_000)
    assert "stalled" in str(sink.error)
    await until(lambda: box[0].closed == 1)


async def test_a_slow_upload_is_bounded_by_the_deadline(origins, pools, send, clock):
    """The first byte is not expected before the request is complete."""
    origin = await origins(OK)
    gate = asyncio.Event()

    class Slow:
        async def read(self):
            await gate.wait()
            return b""

    pool = pools(origin, first_byte_timeout_us=SECOND)
    sending = asyncio.ensure_future(send(pool, Slow(), within=20 * SECOND))
    await until(lambda: pool.statistics().connections == 1)
    await clock.advance(10 * SECOND)
    assert not sending.done()
    gate.set()
    assert (await sending).body == b"ok"


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("framing", [b"Content-Length: 2000000\r\n\r\n", b"\r\n"])
async def test_a_reply_longer_than_allowed_fails(origins, pools, send, framing):
    """Before it fills the memory."""
    origin = await origins(b"HTTP/1.1 200 OK\r\n" + framing + b"x" * 2_000_000)
    pool = pools(origin, max_body=1_000_000)
    await fails(send(pool), match="longer than 1000000 bytes")
    await until(lambda: origin.closed == 1)


async def test_many_connections_break_at_once(origins, pools, send):
    """Every caller is told, and the pool is empty and usable."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        await gate.wait()
        writer.transport.abort()

    origin = await origins(script)
    pool = pools(origin)
    calls = [asyncio.ensure_future(send(pool)) for _ in range(100)]
    await until(lambda: len(origin.requests) == 100)
    origin._scripts = [origin.forever(OK)]
    gate.set()
    await asyncio.wait(calls)
    assert all(isinstance(call.exception(), TransportError) for call in calls)
    assert pool.statistics().connections == 0
    assert (await send(pool, head=HEAD)).body == b"ok"
