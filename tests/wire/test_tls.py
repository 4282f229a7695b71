"""TLS both ways: whom a connection trusts, and what an end without a goodbye means."""

import asyncio
import ssl

import pytest
import trustme

from tests.wire.app import until
from tests.wire.test_server import GET, post
from tests.wire.test_upstream import OK, SECOND, Sink, Source, send
from tidegate.model.snapshot import Tls
from tidegate.ports import TransportError
from tidegate.wire.tls import client_context, server_context

__all__ = ["send"]  # the fixture


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    """Certificate, key and authority as files, for the name localhost and the address 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(folder / "cert.pem"), append=True)
    return folder


@pytest.fixture(scope="module")
def served(files):
    return server_context(Tls(str(files / "cert.pem"), str(files / "key.pem")))


@pytest.fixture(scope="module")
def trusting(files):
    return client_context(str(files / "ca.pem"))


# ── the public port ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_server_speaks_tls(servers, clients, served, trusting, app):
    """The same protocol above it: many requests, large bodies, refusals that can be read."""
    server = await servers(tls=served)
    client = await clients(server, trusting)
    body = b"x" * 300_000
    assert (await client.ask(post(b"/echo", body))).body == body
    assert (await client.ask(post(b"/stream", body))).body == body
    assert (await client.ask(GET)).status == 200
    assert (await client.ask(b"NONSENSE\r\n\r\n")).status == 400
    assert app.seen[0].peer == "127.0.0.1"


async def test_plain_text_on_a_tls_port_ends(servers, clients, served):
    """Without a handshake there is no connection."""
    server = await servers(tls=served)
    client = await clients(server)
    client.send(GET)
    await client.rest()
    assert server.statistics().connections == 0


async def test_leaving_a_tls_connection_is_heard(servers, clients, served, trusting, app):
    """By goodbye or without."""
    server = await servers(tls=served)
    for number, way in enumerate(("close", "abort"), 1):
        client = await clients(server, trusting)
        client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda number=number: len(app.held) == number)
        getattr(client, way)()
        await until(lambda number=number: app.gone == number)
    await until(lambda: server.statistics().connections == 0)


async def test_a_refused_tls_client_is_let_go(servers, clients, served, trusting, clock):
    """There is no half-close in TLS: the time-out ends it, unless the client does."""
    server = await servers(tls=served)
    client = await clients(server, trusting)
    assert (await client.ask(b"NONSENSE\r\n\r\n")).status == 400
    await clock.advance(20 * SECOND)
    await until(lambda: server.statistics().connections == 0)


async def test_an_old_version_is_refused(servers, clients, served, files):
    """Nothing below TLS 1.2."""
    server = await servers(tls=served)
    old = ssl.create_default_context(cafile=str(files / "ca.pem"))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await clients(server, old)


def test_a_key_that_does_not_fit(files, authority, tmp_path):
    """Is an error at once, not at the first handshake."""
    authority.issue_cert("other").private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    with pytest.raises(OSError, match=r"(?i)mismatch"):
        server_context(Tls(str(files / "cert.pem"), str(tmp_path / "key.pem")))


# ── upstream ────────────────────────────────────────────────────────────────────────────────────────────────────────


def at(origin, host="localhost"):
    return {"base_url": f"https://{host}:{origin.port}/v1"}


async def test_a_request_over_tls(origins, pools, send, served, trusting):
    """By name or by address; connections are used again, bodies may be large or arriving."""
    origin = await origins(OK, tls=served)
    pool = pools(origin, trusting, **at(origin))
    assert (await send(pool)).body == b"ok"
    assert (await send(pool, b"x" * 3_000_000)).body == b"ok"
    assert (await send(pool, Source(b"x" * 300_000, b"y"))).body == b"ok"
    assert origin.connections == 1
    assert (await send(pools(origin, trusting, **at(origin, "127.0.0.1")))).body == b"ok"


async def test_the_name_is_sent(origins, pools, send, served, trusting):
    """Server name indication: one address may serve many names."""
    names = []
    served.sni_callback = lambda _socket, name, _context: names.append(name)
    origin = await origins(OK, tls=served)
    await send(pools(origin, trusting, **at(origin)))
    served.sni_callback = None
    assert names == ["localhost"]


async def test_the_system_does_not_trust_our_authority(origins, pools, send, served):
    """Without the custom file the certificate is refused, and nothing is sent."""
    origin = await origins(OK, tls=served)
    with pytest.raises(TransportError, match=r"(?i)certificate verify failed") as caught:
        await send(pools(origin, client_context(), **at(origin)))
    assert (caught.value.sent, origin.requests) == (False, [])


async def test_a_certificate_for_another_name_is_refused(origins, pools, send, authority, trusting):
    """Though its authority is trusted."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)
    origin = await origins(OK, tls=other)
    with pytest.raises(TransportError, match=r"(?i)mismatch") as caught:
        await send(pools(origin, trusting, **at(origin)))
    assert (caught.value.sent, origin.requests) == (False, [])


async def test_there_is_no_fall_back_to_plain_text(origins, pools, send, trusting):
    """An upstream without TLS gets no request."""

    async def script(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    origin = await origins(script)
    with pytest.raises(TransportError, match="cannot connect") as caught:
        await send(pools(origin, trusting, **at(origin)))
    assert (caught.value.sent, origin.requests) == (False, [])


def test_a_custom_file_replaces_the_systems_trust(files):
    """Only what is in it is trusted."""
    assert len(client_context(str(files / "ca.pem")).get_ca_certs()) == 1


def test_a_file_that_is_no_certificate(tmp_path):
    """Is an error when it is read."""
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(OSError, match="."):
        client_context(str(tmp_path / "ca.pem"))
    with pytest.raises(FileNotFoundError):
        client_context(str(tmp_path / "none.pem"))


async def test_a_stale_tls_connection_is_replaced(origins, pools, send, served, trusting):
    """The upstream said goodbye while it was idle."""
    origin = await origins(b"", tls=served)
    origin._scripts = [origin.answers(OK, close=True)]
    pool = pools(origin, trusting, **at(origin))
    for number in range(3):
        assert (await send(pool)).body == b"ok"
        await until(lambda: pool.statistics().connections == 0)
        await until(lambda number=number: origin.closed == number + 1)
    assert origin.connections == 3


async def test_cancelling_a_handshake_leaves_nothing(origins, pools, send, trusting):
    """The upstream does not answer the hello."""

    async def script(reader, writer):
        await reader.read(1)

    origin = await origins(script)
    pool = pools(origin, trusting, **at(origin))
    sending = asyncio.ensure_future(send(pool))
    await until(lambda: origin.connections == 1)
    sending.cancel()
    await asyncio.wait([sending])
    await until(lambda: origin.closed == 1)
    assert pool.statistics()[:3] == (0, 0, 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_end_without_goodbye_is_a_cut(origins, pools, send, served, trusting, stream):
    """A reply that ends with the connection is complete only when TLS says so: anybody can cut a connection."""

    async def script(reader, writer):
        await origin.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
        await writer.drain()
        await gate.wait()
        writer.transport.abort()

    gate = asyncio.Event()
    origin = await origins(script, tls=served)
    sending = asyncio.ensure_future(send(pools(origin, trusting, **at(origin)), stream=stream))
    await until(lambda: bool(origin.requests))
    if stream:
        sink = Sink()
        (await sending).stream.attach(sink)
        await until(lambda: sink.data == b"some of it")
        gate.set()
        await until(lambda: sink.over)
        assert (sink.ended, sink.error is not None) == (0, True)
    else:
        gate.set()
        with pytest.raises(TransportError):
            await sending


@pytest.mark.parametrize("stream", [False, True])
async def test_an_end_with_goodbye_is_an_end(origins, pools, send, served, trusting, stream):
    """And nothing is lost."""
    origin = await origins(b"", tls=served)
    origin._scripts = [origin.answers(b"HTTP/1.1 200 OK\r\n\r\nall of it", close=True)]
    reply = await send(pools(origin, trusting, **at(origin)), stream=stream)
    if stream:
        sink = Sink()
        reply.stream.attach(sink)
        await until(lambda: sink.over)
        assert (sink.data, sink.ended) == (b"all of it", 1)
    else:
        assert reply.body == b"all of it"
