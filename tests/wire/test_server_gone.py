"""Clients that leave, at every stage, and clients that do not keep up."""

import asyncio

import pytest

from tests.wire.app import TEXT, until

HOLD = b"POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("way", ["close", "abort", "half-close"])
async def test_leaving_during_a_call_is_heard_once(client, app, server, way):
    """At once, by one call of `on_gone`; the reply goes nowhere and harms nobody."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    if way == "close":
        client.close()
    elif way == "abort":
        client.abort()
    else:
        client.writer.write_eof()
    await until(lambda: app.gone == 1)
    app.held[0].respond(200, TEXT, b"late")
    await until(lambda: server.statistics().connections == 0)
    assert app.gone == 1


async def test_leaving_in_mid_stream_is_heard(client, app, server):
    """Also while the reply is being written."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    app.held[0].start(200, TEXT)
    app.held[0].write(b"part")
    await client.reader.readuntil(b"part")
    client.abort()
    await until(lambda: app.gone == 1)
    app.held[0].write(b"more")
    app.held[0].end()
    await until(lambda: server.statistics().connections == 0)


@pytest.mark.parametrize("at", range(len(HOLD)))
async def test_leaving_before_the_request_is_complete(client, app, server, at):
    """At any byte: nothing is called, nothing stays."""
    client.send(HOLD[:at])
    await client.writer.drain()
    client.close()
    await until(lambda: server.statistics().connections == 0 and client.writer.is_closing())
    assert app.held == []


async def test_leaving_while_the_body_is_read(client, app, server):
    """A streamed body ends in an error, and the call is told."""
    client.send(b"POST /source HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart")
    await until(lambda: bool(app.held))
    assert await app.held[0].source.read() == b"part"
    reading = asyncio.ensure_future(app.held[0].source.read())
    await asyncio.sleep(0)
    client.abort()
    with pytest.raises(ConnectionError):
        await reading
    assert app.gone == 1


async def test_leaving_with_requests_in_the_pipeline(client, app, server):
    """None of them is handed over any more."""
    client.send(HOLD + HOLD)
    await until(lambda: bool(app.held))
    client.abort()
    await until(lambda: server.statistics().connections == 0)
    assert (app.gone, len(app.held)) == (1, 1)


async def test_a_failing_on_gone_is_logged(client, app, server, caplog):
    """And the connection ends all the same."""
    client.send(HOLD)
    await until(lambda: bool(app.held))
    app.held[0].on_gone = lambda: 1 // 0
    client.abort()
    await until(lambda: server.statistics().connections == 0)
    assert "ZeroDivisionError" in caplog.text


async def test_a_client_that_does_not_read_is_waited_for(client, app):
    """The handler is told to pause, and to go on when the client reads on; nothing is lost."""
    client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(app.held))
    client.writer.transport.pause_reading()
    app.held[0].start(200, TEXT)
    written = 0
    while not app.pauses:
        app.held[0].write(b"x" * 60_000)
        written += 60_000
        await asyncio.sleep(0)
    assert written < 20_000_000
    client.writer.transport.resume_reading()
    reading = asyncio.ensure_future(client.reply())
    await until(lambda: app.resumes == 1)
    app.held[0].end()
    assert len((await reading).body) == written


async def test_replies_that_nobody_reads_hold_up_further_requests(servers, clients, app):
    """A pipeline of requests whose replies are not read takes bounded memory."""
    server = await servers()
    client = await clients(server)
    client.writer.transport.pause_reading()
    client.send(b"GET /big?1000000 HTTP/1.1\r\nHost: a\r\n\r\n" * 60)
    await until(lambda: app.pauses > 0)
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(app.seen) < 30
    client.writer.transport.resume_reading()
    assert [len((await client.reply()).body) for _ in range(60)] == [1_000_000] * 60


async def test_a_body_that_nobody_reads_holds_up_the_client(client, app):
    """A streamed body is held up to a bound; then the client has to wait."""
    client.send(b"POST /source HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
    client.send(b"x" * 8_000_000)
    await until(lambda: bool(app.held))
    source = app.held[0].source
    await until(lambda: source.full)
    for _ in range(300):
        await asyncio.sleep(0)
    assert source._size < 400_000
    total = 0
    while data := await source.read():
        assert len(data) < 400_000
        total += len(data)
    assert total == 8_000_000
    app.held[0].respond(200, TEXT, b"")
    assert (await client.reply()).status == 200


async def test_a_flood_of_pipelined_requests_takes_bounded_memory(client, app, server):
    """Reading pauses while a call is in progress and much is waiting."""
    client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(app.held))
    client.send(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n" * 100_000)
    connection = app.held[0].connection
    await until(lambda: not connection._reading)
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(connection._held) < 400_000
    app.held[0].respond(200, TEXT, b"first")
    assert (await client.reply()).body == b"first"
    for _ in range(500):
        assert (await client.reply()).status == 200
