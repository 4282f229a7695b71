"""Through a real forward proxy, with TLS and without."""

import asyncio
import ssl

import pytest

from tests.wire.app import until
from tests.wire.test_tls import authority, files, served, trusting
from tests.wire.test_upstream import OK, SECOND, send
from tidegate.ports import TransportError

__all__ = ["authority", "files", "send", "served", "trusting"]  # fixtures


class Proxy:
    """A tiny forward proxy: CONNECT, and requests in absolute form. `answer` replaces its answer to CONNECT."""

    def __init__(self):
        self.heads = []
        self.answer = b"HTTP/1.1 200 Connection Established\r\nVia: x\r\n\r\n"
        self.busy = 0  # with connections
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self

    def url(self, user=""):
        return f"http://{user}127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def serve(self, reader, writer):
        self.busy += 1
        try:
            await self.pass_on(reader, writer)
        finally:
            writer.close()
            self.busy -= 1

    async def pass_on(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        authority = target if method == b"CONNECT" else target.split(b"/")[2]
        if method == b"CONNECT":
            writer.write(self.answer)
            if not self.answer.startswith(b"HTTP/1.1 200"):
                return
        host, port = authority.decode().split(":")
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        if method != b"CONNECT":
            to_writer.write(head)
        await asyncio.gather(pipe(reader, to_writer), pipe(to_reader, writer))


async def pipe(reader, writer):
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def proxy():
    started = await Proxy().start()
    yield started
    started.server.close()
    await until(lambda: started.busy == 0)


async def test_an_https_target_is_reached_by_a_tunnel(origins, pools, send, proxy, served, trusting):
    """The proxy sees host and port, never the request; the tunnel is used again."""
    origin = await origins(OK, tls=served)
    pool = pools(origin, trusting, base_url=f"https://localhost:{origin.port}/v1", proxy=proxy.url("user:pass@"))
    for _ in range(3):
        assert (await send(pool)).body == b"ok"
    assert (await send(pool, b"x" * 1_000_000)).body == b"ok"
    assert proxy.heads == [
        b"CONNECT localhost:%d HTTP/1.1\r\nhost: localhost:%d\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"
        % (origin.port, origin.port)
    ]
    assert b"proxy-authorization" not in origin.requests[0]
    pool.abort()


async def test_an_http_target_is_asked_for_in_absolute_form(origins, pools, send, proxy):
    """With the proxy's credentials; the connection is used again."""
    origin = await origins(OK)
    pool = pools(origin, proxy=proxy.url("user:pass@"))
    for _ in range(2):
        assert (await send(pool)).body == b"ok"
    first = f"POST http://127.0.0.1:{origin.port}/v1/x HTTP/1.1\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n"
    assert proxy.heads[0].startswith(first.encode())
    assert len(proxy.heads) == 1
    pool.abort()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "status 407"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "status 502"),
        (b"SOCKS\r\n\r\n", "malformed"),
        (b"HTTP/1.1 407 X" + b"x" * 20_000, "malformed"),
        (b"HTTP/1.1 407 X\r\n", "closed the connection"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "more than its answer"),
    ],
)
async def test_a_tunnel_that_is_not_opened(origins, pools, send, proxy, served, trusting, answer, message):
    """Nothing was sent, and the message says why."""
    proxy.answer = answer
    origin = await origins(OK, tls=served)
    pool = pools(origin, trusting, base_url=f"https://localhost:{origin.port}/v1", proxy=proxy.url())
    with pytest.raises(TransportError, match=message) as caught:
        await send(pool)
    assert (caught.value.sent, origin.requests, pool.statistics()[:4]) == (False, [], (0, 0, 0, 0))


async def test_the_certificate_is_verified_through_a_tunnel(origins, pools, send, proxy, authority, trusting):
    """A proxy that answers in the upstream's place is not believed."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)
    origin = await origins(OK, tls=other)
    pool = pools(origin, trusting, base_url=f"https://localhost:{origin.port}/v1", proxy=proxy.url())
    with pytest.raises(TransportError, match=r"(?i)mismatch") as caught:
        await send(pool)
    assert (caught.value.sent, origin.requests) == (False, [])


async def test_a_proxy_that_is_not_there(origins, pools, send, trusting):
    """Is named, and its password is not; nothing was sent."""
    origin = await origins(OK)
    pool = pools(origin, trusting, base_url="https://localhost:2/v1", proxy="http://u:secret@127.0.0.1:1")
    with pytest.raises(TransportError, match="localhost:2 through the proxy 127.0.0.1:1") as caught:
        await send(pool)
    assert (caught.value.sent, "secret" in str(caught.value)) == (False, False)


async def test_a_tunnel_that_opens_too_slowly(origins, pools, send, clock, served, trusting):
    """Is bounded by the connect time-out, and the connection to the proxy is closed."""

    async def script(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    slow = await origins(script)
    pool = pools(slow, trusting, base_url="https://localhost:1/v1", proxy=slow.url, connect_timeout_us=SECOND)
    sending = asyncio.ensure_future(send(pool))
    await until(lambda: slow.connections == 1)
    for _ in range(20):
        await asyncio.sleep(0)
    await clock.advance(SECOND)
    with pytest.raises(TransportError, match="in time"):
        await sending
    await until(lambda: slow.closed == 1)
