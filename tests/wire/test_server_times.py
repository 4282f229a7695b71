"""Time-outs and the graceful end, on a clock that moves by hand."""

import asyncio

import pytest

from tests.wire.app import TEXT, until

SECOND = 1_000_000
SETTINGS = {
    "head_timeout_us": 2 * SECOND,
    "body_timeout_us": 3 * SECOND,
    "idle_timeout_us": 4 * SECOND,
    "write_timeout_us": 5 * SECOND,
}
SLACK = SECOND  # more than the sweep's resolution, less than the difference of any two time-outs
GET = b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"
HOLD = b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
async def server(servers):
    return await servers(**SETTINGS)


async def arrived(client):
    """All that the client has written is read by the server: on loopback that takes a few turns of the loop."""
    await client.writer.drain()
    for _ in range(50):
        await asyncio.sleep(0)


async def pour(client, size):
    """Write without reading."""
    for _ in range(size // 100_000):
        client.send(b"x" * 100_000)
        await client.writer.drain()


async def test_a_silent_connection_is_closed(client, server, clock):
    """Not before the head's time-out, and without an answer."""
    await arrived(client)
    await clock.advance(SETTINGS["head_timeout_us"] - 1)
    assert server.statistics().connections == 1
    await clock.advance(SLACK)
    assert await client.rest() == b""


async def test_a_slow_head_is_answered_with_408(client, server, clock):
    """Also when a byte comes now and then: slowloris."""
    for byte in b"GET /":
        client.send(bytes([byte]))
        await arrived(client)
        await clock.advance(SECOND // 2)
    await clock.advance(SLACK)
    assert (await client.reply()).status == 408
    assert await client.rest() == b""


async def test_a_slow_body_is_answered_with_408(client, app, clock):
    """A drip does not extend the time."""
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
    for _ in range(5):
        client.send(b"x")
        await arrived(client)
        await clock.advance(SECOND * 3 // 4)
    await clock.advance(SLACK)
    reply = await client.reply()
    assert (reply.status, b"body" in reply.body) == (408, True)
    assert app.gone == 1


async def test_a_large_body_has_time_as_long_as_it_progresses(client, clock):
    """Every 64 KiB earn the time-out anew."""
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n")
    for _ in range(10):
        client.send(b"x" * 70_000)
        await arrived(client)
        await clock.advance(2 * SECOND)
    assert len((await client.reply()).body) == 700_000


async def test_a_slow_streamed_body_breaks_its_reply(client, app, server, clock):
    """After the reply has begun there is no 408: the connection is cut."""
    client.send(b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart")
    await client.reader.readuntil(b"part")
    await clock.advance(SETTINGS["body_timeout_us"] + SLACK)
    assert not (await client.rest()).endswith(b"0\r\n\r\n")
    assert (app.gone, server.statistics().connections) == (1, 0)


async def test_a_call_takes_as_long_as_it_takes(client, app, clock):
    """The wire has no time-out on the handler."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    await clock.advance(100 * SECOND)
    app.held[0].respond(200, TEXT, b"at last")
    assert (await client.reply()).body == b"at last"


async def test_an_idle_connection_is_closed(client, server, clock):
    """After its time, counted from the last reply, and without a word."""
    await clock.advance(SECOND)
    assert (await client.ask(GET)).status == 200
    await clock.advance(SETTINGS["idle_timeout_us"] - 1)
    assert server.statistics().connections == 1
    await clock.advance(SLACK)
    assert await client.rest() == b""


async def test_a_client_that_never_reads_is_cut(client, app, server, clock):
    """The handler is told that it left."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    client.writer.transport.pause_reading()
    app.held[0].start(200, TEXT)
    while not app.pauses:
        app.held[0].write(b"x" * 60_000)
        await asyncio.sleep(0)
    await clock.advance(SETTINGS["write_timeout_us"] - 1)
    assert app.gone == 0
    await clock.advance(SLACK)
    assert app.gone == 1
    await until(lambda: server.statistics().connections == 0)


async def test_a_client_that_never_reads_its_last_reply_is_cut(client, app, server, clock):
    """Also when the reply is complete: nobody waits for the buffer for ever."""
    client.writer.transport.pause_reading()
    client.send(b"GET /big?9000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await until(lambda: bool(app.pauses))
    await clock.advance(SETTINGS["write_timeout_us"] + SLACK)
    await until(lambda: server.statistics().connections == 0)


async def test_a_refused_client_that_stays_is_cut(client, server, clock):
    """It has some time to read the answer, no more."""
    client.send(b"NONSENSE\r\n\r\n")
    assert (await client.reply()).status == 400
    assert server.statistics().connections == 1
    await clock.advance(20 * SECOND)
    await until(lambda: server.statistics().connections == 0)


async def test_a_refused_client_may_send_on_for_a_while(clients, servers):
    """Else a reset would take the answer away from it; but not without bound."""
    server = await servers(max_body_bytes=1_000_000)
    client = await clients(server)
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
    reply = await client.reply()
    assert (reply.status, await client.rest()) == (413, b"")
    flood = await clients(server)
    flood.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        await pour(flood, 90_000_000)


async def test_one_megabyte_of_headers_is_cut_off(clients, servers, app):
    """After the limit, whoever sends it and however."""
    server = await servers(max_header_bytes=16_384)
    client = await clients(server)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    for number in range(16_000):
        client.send(b"X-%05d: %s\r\n" % (number, b"y" * 50))
    assert (await client.reply()).status == 431
    assert app.seen == []


# ── the graceful end ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_drain_lets_calls_finish(clients, server, app, clock):
    """Idle connections close at once, the others after their reply, which says so."""
    idle, busy, streaming = [await clients(server) for _ in range(3)]
    assert (await idle.ask(GET)).status == 200
    busy.send(HOLD)
    streaming.send(HOLD)
    await until(lambda: len(app.held) == 2)
    app.held[1].start(200, TEXT)
    draining = asyncio.ensure_future(server.drain(clock.now() + 30 * SECOND))
    assert await idle.rest() == b""
    app.held[0].respond(200, TEXT, b"done")
    reply = await busy.reply()
    assert (reply.body, reply.headers[b"connection"], await busy.rest()) == (b"done", b"close", b"")
    app.held[1].write(b"streamed")
    app.held[1].end()
    assert (await streaming.reply()).body == b"streamed"
    assert await draining == 0


async def test_who_is_relieved_cuts_nobody_off(clients, server, app, clock):
    """Every connection may ask once more, and hears in that reply that it ends; so none is closed under a request."""
    idle, busy, streaming = [await clients(server) for _ in range(3)]
    assert (await idle.ask(GET)).status == 200
    busy.send(HOLD)
    streaming.send(HOLD)
    await until(lambda: len(app.held) == 2)
    app.held[1].start(200, TEXT)
    server.relieve()
    reply = await idle.ask(GET)
    assert (reply.status, reply.headers[b"connection"], await idle.rest()) == (200, b"close", b"")
    app.held[0].respond(200, TEXT, b"done")
    reply = await busy.reply()
    assert (reply.body, reply.headers[b"connection"], await busy.rest()) == (b"done", b"close", b"")
    app.held[1].write(b"streamed")
    app.held[1].end()
    reply = await streaming.reply()
    assert (reply.body, b"connection" in reply.headers) == (b"streamed", False)
    reply = await streaming.ask(GET)
    assert (reply.status, reply.headers[b"connection"], await streaming.rest()) == (200, b"close", b"")
    await until(lambda: server.empty)
    assert await server.drain(clock.now() + 30 * SECOND) == 0


async def test_who_asks_no_more_goes_with_the_drain(client, server, clock):
    """Idle since: closed then."""
    assert (await client.ask(GET)).status == 200
    server.relieve()
    assert not server.empty
    draining = asyncio.ensure_future(server.drain(clock.now() + 30 * SECOND))
    assert await client.rest() == b""
    assert await draining == 0


async def test_a_drain_accepts_nobody(clients, server, app, clock):
    """New connections are refused while the old ones finish."""
    busy = await clients(server)
    busy.send(HOLD)
    await until(lambda: bool(app.held))
    port = server.port
    draining = asyncio.ensure_future(server.drain(clock.now() + 30 * SECOND))
    await asyncio.sleep(0)
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    app.held[0].respond(200, TEXT, b"")
    assert await draining == 0


async def test_a_drain_ends_at_its_deadline(client, server, app, clock):
    """What is left is cut and counted."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    draining = asyncio.ensure_future(server.drain(clock.now() + 30 * SECOND))
    await clock.advance(29 * SECOND)
    assert not draining.done()
    await clock.advance(2 * SECOND)
    assert (await draining, app.gone) == (1, 1)


async def test_a_drain_finishes_a_request_that_is_arriving(client, server, clock):
    """A half-read request is answered, and then the connection closed."""
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh")
    await arrived(client)
    draining = asyncio.ensure_future(server.drain(clock.now() + 30 * SECOND))
    await asyncio.sleep(0)
    reply = await client.ask(b"i")
    assert (reply.body, reply.headers[b"connection"]) == (b"hi", b"close")
    assert await draining == 0


async def test_a_drain_of_nobody_is_done_at_once(server, clock):
    """There is nothing to wait for."""
    assert await server.drain(clock.now() + SECOND) == 0


async def test_closing_cuts_everything(client, server, app):
    """Calls in progress are told."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    server.close()
    assert app.gone == 1
    assert await client.rest() == b""
