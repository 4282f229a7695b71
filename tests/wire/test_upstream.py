"""A pool against a live upstream: requests, replies, connections used again."""

import asyncio

import pytest

from tests.wire.app import provider_of, until
from tidegate.ports import TransportError
from tidegate.wire.upstream import UpstreamPool

SECOND = 1_000_000
HEAD = b"POST /v1/x HTTP/1.1\r\nhost: a\r\n"
OK = b"HTTP/1.1 200 OK\r\nX-One: 1 \r\nContent-Length: 2\r\n\r\nok"


class Source:
    """A body in pieces; an exception among them is raised."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.reads = 0

    async def read(self):
        self.reads += 1
        await asyncio.sleep(0)
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


class Sink:
    """Takes a stream down."""

    def __init__(self):
        self.data = b""
        self.ended = 0
        self.error = None

    def chunk(self, data):
        self.data += data

    def end(self):
        self.ended += 1

    def failed(self, error):
        assert self.error is None
        self.error = error

    @property
    def over(self):
        return bool(self.ended) or self.error is not None


@pytest.fixture
def send(clock):
    """Sends by a pool, with a deadline far away unless it is given."""

    def make(pool, body=b"{}", *, head=HEAD, stream=False, within=60 * SECOND):
        return pool.send(head, body, stream=stream, deadline=clock.now() + within)

    return make


async def test_a_request_and_its_reply(origins, pools, send):
    """The framing is added; names of the reply come in lower case, values without blanks around."""
    origin = await origins(OK)
    reply = await send(pools(origin))
    assert origin.requests == [HEAD + b"content-length: 2\r\n\r\n{}"]
    assert (reply.status, reply.body, reply.stream) == (200, b"ok", None)
    assert reply.headers == [(b"x-one", b"1"), (b"content-length", b"2")]


@pytest.mark.parametrize(
    ("method", "framing"),
    [("GET", b"\r\n"), ("HEAD", b"\r\n"), ("DELETE", b"\r\n"), ("POST", b"content-length: 0\r\n\r\n")],
)
async def test_a_request_without_a_body(origins, pools, send, method, framing):
    """Says so only where a body is usual."""
    origin = await origins(b"HTTP/1.1 204 No Content\r\n\r\n")
    head = method.encode() + b" / HTTP/1.1\r\nhost: a\r\n"
    assert (await send(pools(origin), b"", head=head)).status == 204
    assert origin.requests == [head + framing]


async def test_a_connection_is_used_again(origins, pools, send):
    """One after the other, on one connection."""
    origin = await origins(OK)
    pool = pools(origin)
    for _ in range(20):
        assert (await send(pool)).body == b"ok"
    assert origin.connections == 1
    assert pool.statistics() == (1, 1, 0, 0, 1)


async def test_the_connection_used_last_is_used_first(origins, pools, send):
    """So the others can grow old and go."""
    origin = await origins(OK)
    pool = pools(origin)
    await asyncio.gather(*(send(pool) for _ in range(3)))
    last = next(reversed(pool._idle))
    await send(pool)
    assert next(reversed(pool._idle)) is last
    assert origin.connections == 3


async def test_idle_connections_are_closed_in_time(origins, pools, send, clock):
    """After half a minute; then nothing ticks any more."""
    origin = await origins(OK)
    pool = pools(origin)
    await send(pool)
    await clock.advance(29 * SECOND)
    assert pool.statistics().idle == 1
    await clock.advance(2 * SECOND)
    await until(lambda: origin.closed == 1)
    await clock.advance(SECOND)
    assert (pool.statistics().connections, clock.pending) == (0, [])


async def test_large_bodies_both_ways(origins, pools, send):
    """Unchanged, though the socket takes them only in parts."""
    body = bytes(range(256)) * 12_000
    origin = await origins(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    pool = pools(origin)
    for _ in range(2):
        assert (await send(pool, body)).body == body
    assert origin.requests[0].endswith(body)
    assert origin.connections == 1


async def test_a_body_that_is_still_arriving(origins, pools, send):
    """Travels in chunks; the connection is used again."""
    origin = await origins(OK)
    pool = pools(origin)
    for _ in range(2):
        assert (await send(pool, Source(b"abc", b"x" * 20))).body == b"ok"
    assert (
        origin.requests[0]
        == HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n"
    )
    assert origin.connections == 1


async def test_a_body_is_read_no_faster_than_it_is_taken(origins, pools, send):
    """An upstream that does not read holds up the source."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await gate.wait()
        await origin.request(reader)
        writer.write(OK)

    origin = await origins(script)
    source = Source(*[b"x" * 50_000] * 200)
    sending = asyncio.ensure_future(send(pools(origin), source))
    for _ in range(3_000):
        await asyncio.sleep(0)
    assert 0 < source.reads < 180
    gate.set()
    assert (await sending).body == b"ok"
    assert source.reads == 201


async def test_a_reply_before_the_body_is_sent_ends_the_sending(origins, pools, send):
    """The connection is not used again: the rest of the body would be taken for a request."""

    async def script(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    origin = await origins(script)
    pool = pools(origin)
    never = Source(b"abc")
    never.read = asyncio.Event().wait
    assert (await send(pool, never)).status == 413
    await until(lambda: origin.closed == 1)


async def test_a_body_that_breaks_off(origins, pools, send):
    """Closes the connection: the upstream must not take it for complete."""
    origin = await origins(OK)
    with pytest.raises(TransportError, match="body broke off") as caught:
        await send(pools(origin), Source(b"abc", ConnectionResetError("gone")))
    assert caught.value.sent
    await until(lambda: origin.closed == 1)


async def test_a_stream_is_delivered_as_it_arrives(origins, pools, send):
    """The reply is there with its head; the pieces come by callback."""
    step = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await step.wait()
        writer.write(b"3\r\none\r\n")
        await writer.drain()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    origin = await origins(script)
    pool = pools(origin)
    reply = await send(pool, stream=True)
    assert (reply.status, reply.body) == (200, b"")
    sink = Sink()
    reply.stream.attach(sink)
    assert sink.data == b""
    step.set()
    await until(lambda: sink.over)
    assert (sink.data, sink.ended, sink.error) == (b"onetwo", 1, None)
    assert pool.statistics().idle == 1


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 6\r\n\r\nonetwo", b"Transfer-Encoding: chunked\r\n\r\n6\r\nonetwo\r\n0\r\n\r\n"]
)
async def test_a_stream_that_is_over_before_it_is_read(origins, pools, send, framing):
    """Is kept for its sink, though its connection serves others by then."""
    origin = await origins(b"HTTP/1.1 200 OK\r\n" + framing)
    pool = pools(origin)
    reply = await send(pool, stream=True)
    await until(lambda: pool.statistics().idle == 1)
    assert (await send(pool)).body == b"onetwo"
    sink = Sink()
    reply.stream.attach(sink)
    assert (sink.data, sink.ended) == (b"onetwo", 1)
    reply.stream.abort()
    reply.stream.pause()
    assert (await send(pool)).body == b"onetwo"
    assert origin.connections == 1


async def test_a_refusal_is_complete_also_when_a_stream_was_asked_for(origins, pools, send):
    """Anything but 2xx is returned with its body."""
    origin = await origins(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno")
    reply = await send(pools(origin), stream=True)
    assert (reply.status, reply.body, reply.stream) == (429, b"no", None)


async def test_a_stream_is_held_within_bounds(origins, pools, send):
    """Until a sink is attached reading pauses; afterwards all of it arrives."""
    size = 12_000_000
    origin = await origins(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    reply = await send(pools(origin), stream=True)
    for _ in range(500):
        await asyncio.sleep(0)
    assert reply.stream._size < 1_000_000
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: sink.over)
    assert (len(sink.data), sink.ended) == (size, 1)


async def test_a_stream_may_be_paused(origins, pools, send, clock):
    """Nothing arrives meanwhile, and no time-out runs."""
    size = 12_000_000
    origin = await origins(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    reply = await send(pools(origin, idle_timeout_us=SECOND), stream=True)
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: len(sink.data) > 100_000)
    reply.stream.pause()
    seen = len(sink.data)
    await clock.advance(10 * SECOND)
    assert len(sink.data) == seen < size
    reply.stream.resume()
    await until(lambda: sink.over)
    assert (len(sink.data), sink.error) == (size, None)


async def test_a_stream_paused_at_its_end_does_not_hold_up_the_next_call(origins, pools, send):
    """The connection goes back to the pool reading."""
    origin = await origins(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    class Pausing(Sink):
        def chunk(self, data):
            super().chunk(data)
            reply.stream.pause()

    pool = pools(origin)
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        await gate.wait()
        writer.write(b"last")
        await origin.request(reader)
        writer.write(OK)

    origin._scripts = [script]
    reply = await send(pool, stream=True)
    sink = Pausing()
    reply.stream.attach(sink)
    gate.set()
    await until(lambda: sink.over)
    assert (sink.data, (await send(pool)).body, origin.connections) == (b"last", b"ok", 1)


async def test_aborting_a_stream_closes_the_connection(origins, pools, send):
    """At once; the sink hears nothing more."""

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")

    origin = await origins(script)
    pool = pools(origin)
    reply = await send(pool, stream=True)
    sink = Sink()
    reply.stream.attach(sink)
    await until(lambda: sink.data == b"one")
    reply.stream.abort()
    await until(lambda: origin.closed == 1)
    assert (sink.over, pool.statistics().connections) == (False, 0)


@pytest.mark.parametrize("stage", ["before the reply", "within the reply"])
async def test_cancelling_closes_the_connection(origins, pools, send, stage):
    """At once, so that the provider stops working."""

    async def script(reader, writer):
        await origin.request(reader)
        if stage == "within the reply":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")

    origin = await origins(script)
    pool = pools(origin)
    sending = asyncio.ensure_future(send(pool))
    await until(lambda: bool(origin.requests))
    for _ in range(20):
        await asyncio.sleep(0)
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
    await until(lambda: origin.closed == 1)
    assert pool.statistics().connections == 0


async def test_cancelling_just_when_the_reply_is_there_harms_nobody(origins, pools, send):
    """The connection may serve another call by then: that one is not disturbed."""
    origin = await origins(OK)
    pool = pools(origin)
    await send(pool)
    sending = asyncio.ensure_future(send(pool))
    await until(lambda: pool.statistics().idle == 0)
    await until(lambda: pool.statistics().idle == 1)
    sending.cancel()
    other = asyncio.ensure_future(send(pool))
    await asyncio.wait([sending, other])
    assert (sending.cancelled() or sending.done(), other.result().body) == (True, b"ok")
    assert origin.connections == 1


async def test_cancelling_just_when_a_stream_is_there_closes_it(origins, pools, send):
    """Nobody would ever read it."""

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")

    origin = await origins(script)
    pool = pools(origin)
    sending = asyncio.ensure_future(send(pool, stream=True))
    await until(lambda: any(connection._stream for connection in pool._all))
    sending.cancel()
    await asyncio.wait([sending])
    if not sending.cancelled():
        sending.result().stream.abort()
    await until(lambda: origin.closed == 1)


# ── the bound on connections ────────────────────────────────────────────────────────────────────────────────────────


async def test_requests_wait_for_a_free_connection_in_order(origins, pools, send):
    """First come, first served."""
    origin = await origins(OK)
    pool = pools(origin, max_connections=2)
    order = []

    async def one(number):
        await send(pool, b"%d" % number)
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(40)))
    assert origin.connections == 2
    assert [int(request.rpartition(b"\n")[2]) for request in origin.requests] == order
    assert order[2:] == list(range(2, 40))


async def test_waiting_ends_at_the_deadline(origins, pools, send, clock):
    """With nothing sent."""

    async def silent(reader, writer):
        await origin.request(reader)

    origin = await origins(silent)
    pool = pools(origin, max_connections=1)
    first = asyncio.ensure_future(send(pool))
    await until(lambda: bool(origin.requests))
    second = asyncio.ensure_future(send(pool, within=2 * SECOND))
    await until(lambda: pool.statistics().waiting == 1)
    await clock.advance(2 * SECOND + 200_000)
    with pytest.raises(TransportError, match="free connection") as caught:
        await second
    assert not caught.value.sent
    assert (first.done(), pool.statistics().waiting) == (False, 0)
    first.cancel()


async def test_a_cancelled_waiter_is_passed_over(origins, pools, send):
    """Its place goes to the next."""
    gate = asyncio.Event()

    async def script(reader, writer):
        while True:
            await origin.request(reader)
            await gate.wait()
            writer.write(OK)

    origin = await origins(script)
    pool = pools(origin, max_connections=1)
    first, second, third = [asyncio.ensure_future(send(pool)) for _ in range(3)]
    await until(lambda: pool.statistics().waiting == 2)
    second.cancel()
    gate.set()
    assert [(await call).body for call in (first, third)] == [b"ok", b"ok"]
    assert (second.cancelled(), origin.connections) == (True, 1)


async def test_a_waiter_cancelled_when_its_turn_has_come_gives_it_back(origins, pools, send):
    """Whether it was given a connection or a place for one."""
    origin = await origins(OK)
    pool = pools(origin, max_connections=1)
    for _ in range(20):
        calls = [asyncio.ensure_future(send(pool)) for _ in range(4)]
        await until(lambda calls=calls: calls[0].done())
        calls[1].cancel()
        await asyncio.wait(calls)
        assert [call.result().body for call in (calls[0], calls[2], calls[3])] == [b"ok"] * 3
    for connection in tuple(pool._all):
        connection.abort()
    assert (await send(pool)).body == b"ok"


async def test_a_place_is_free_again_when_a_connection_breaks(origins, pools, send):
    """The next one opens its own."""
    origin = await origins(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    pool = pools(origin, max_connections=1)
    replies = await asyncio.gather(*(send(pool) for _ in range(10)))
    assert [reply.body for reply in replies] == [b"ok"] * 10
    assert origin.connections == 10


async def test_closing_lets_busy_connections_finish(origins, pools, send):
    """Idle ones go at once; new requests are refused, with nothing sent."""
    gate = asyncio.Event()

    async def script(reader, writer):
        await origin.request(reader)
        await gate.wait()
        writer.write(OK)

    origin = await origins(b"", script)
    origin._scripts = [origin.forever(OK), script]
    pool = pools(origin)
    await send(pool)
    idle = asyncio.ensure_future(send(pool))
    busy = asyncio.ensure_future(send(pool))
    await idle
    await until(lambda: len(origin.requests) == 3)
    pool.close()
    await until(lambda: origin.closed == 1)
    with pytest.raises(TransportError, match="closed") as caught:
        await send(pool)
    assert not caught.value.sent
    gate.set()
    assert (await busy).body == b"ok"
    await until(lambda: origin.closed == 2)


async def test_a_request_after_its_deadline_is_not_sent(origins, pools, send):
    """There is no point in it."""
    origin = await origins(OK)
    pool = pools(origin)
    await send(pool)
    with pytest.raises(TransportError, match="deadline") as caught:
        await send(pool, within=0)
    assert (caught.value.sent, len(origin.requests)) == (False, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_url": "https://a/v1"}, "TLS context"),
        ({"base_url": "ftp://a/v1"}, "http or https"),
        ({"base_url": "http:///v1"}, "URL"),
        ({"base_url": "http://a/v1", "proxy": "https://p:1"}, "by http"),
    ],
)
async def test_what_a_pool_cannot_be_made_from(clock, fields, message):
    """Is told in words."""
    with pytest.raises(ValueError, match=message):
        UpstreamPool(provider_of("", **fields), clock)
