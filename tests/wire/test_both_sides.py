"""Server and pool together: a relay, as the gate is one."""

import asyncio
import random
import socket

import pytest

from tests.wire.app import TEXT, Client, until
from tests.wire.test_upstream import OK, SECOND
from tidegate.model.snapshot import ServerSettings
from tidegate.ports import TransportError
from tidegate.wire.exchange import Exchange, Intake
from tidegate.wire.server import serve


class Relay:
    """Hands every request on: /stream… both bodies as they arrive, anything else whole."""

    def __init__(self, pool, clock):
        self.pool = pool
        self.clock = clock
        self.tasks = set()

    def head(self, exchange):
        return Intake.STREAM if exchange.path.startswith(b"/stream") else Intake.BUFFER

    def call(self, exchange):
        task = asyncio.ensure_future(self.relay(exchange))
        exchange.on_gone = task.cancel
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def refusal(self, path, status, code, message):
        return message.encode()

    async def relay(self, exchange: Exchange):
        head = b"%b %b HTTP/1.1\r\nhost: a\r\n" % (exchange.method, exchange.target)
        stream = exchange.path.startswith(b"/stream")
        body = exchange.source if stream and exchange.header(b"transfer-encoding") else exchange.body
        try:
            reply = await self.pool.send(head, body, stream=stream, deadline=self.clock.now() + 60 * SECOND)
        except TransportError as error:
            exchange.respond(502, TEXT, str(error).encode())
            return
        if reply.stream is None:
            exchange.respond(reply.status, TEXT, reply.body)
            return
        exchange.on_gone = reply.stream.abort
        exchange.on_pause = reply.stream.pause
        exchange.on_resume = reply.stream.resume
        exchange.start(reply.status, TEXT)
        reply.stream.attach(Splice(exchange))


class Splice:
    def __init__(self, exchange):
        self.exchange = exchange

    def chunk(self, data):
        self.exchange.write(data)

    def end(self):
        self.exchange.end()

    def failed(self, error):
        self.exchange.abort()


@pytest.fixture
async def relays(clock, pools):
    """Makes relays to an upstream; gives a client of one."""
    running = []
    clients = []

    async def make(origin):
        listener = socket.create_server(("127.0.0.1", 0))
        server = await serve(listener, Relay(pools(origin), clock), ServerSettings(), clock)
        listener.close()
        running.append(server)
        clients.append(await Client.open(server.port))
        return clients[-1]

    yield make
    for client in clients:
        client.abort()
    for server in running:
        server.close()
        await until(lambda server=server: server.statistics().connections == 0)


async def test_what_the_pool_sends_the_server_accepts(servers, relays, app):
    """Bodies of any length, whole or in chunks, of any method; the connections stay in step."""
    server = await servers()
    client = await relays(f"http://127.0.0.1:{server.port}")
    rng = random.Random(7)
    for _ in range(60):
        body = rng.randbytes(rng.choice((0, 1, 100, 5_000, 70_000, 300_000)))
        if rng.random() < 0.5:
            raw = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        else:
            pieces = [body[at : at + 40_000] for at in range(0, len(body), 40_000)]
            raw = b"POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            raw += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        assert (await client.ask(raw)).body == body
    assert (await client.ask(b"HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")).status == 200
    assert (await client.ask(b"GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n")).status == 204
    assert server.statistics().refused == 0


@pytest.mark.parametrize("path", [b"/whole", b"/stream"])
@pytest.mark.parametrize("stage", ["before the reply", "within the reply"])
async def test_a_client_that_leaves_closes_the_upstream(origins, relays, path, stage):
    """At once, whether the reply has begun or not."""

    async def script(reader, writer):
        await origin.request(reader)
        if stage == "within the reply":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")

    origin = await origins(script)
    client = await relays(origin)
    client.send(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}" % path)
    await until(lambda: bool(origin.requests))
    if path == b"/stream" and stage == "within the reply":
        await client.reader.readuntil(b"part")
    client.close()
    await until(lambda: origin.closed == 1)


async def test_a_slow_client_holds_up_the_upstream(origins, relays):
    """Pauses travel through: little is held in between, and nothing is lost."""
    size = 30_000_000
    sent = 0

    async def script(reader, writer):
        nonlocal sent
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"z" * 100_000)
            sent += 100_000
            await writer.drain()

    origin = await origins(script)
    client = await relays(origin)
    client.writer.transport.pause_reading()
    client.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    seen = -1
    while seen != sent:
        seen = sent
        for _ in range(300):
            await asyncio.sleep(0)
    assert 0 < sent < size
    client.writer.transport.resume_reading()
    got = 0
    tail = b""
    while not tail.endswith(b"0\r\n\r\n"):
        data = await client.reader.read(1_000_000)
        got += data.count(b"z")
        tail = (tail + data)[-5:]
    assert got == size


async def test_an_upstream_that_breaks_breaks_the_stream(origins, relays):
    """The client sees a cut, no clean end."""
    origin = await origins(b"")
    origin._scripts = [
        origin.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", close=True),
        origin.forever(OK),
    ]
    client = await relays(origin)
    client.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    raw = await client.rest()
    assert raw.endswith(b"3\r\none\r\n")
