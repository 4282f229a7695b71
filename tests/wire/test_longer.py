"""Bodies beyond the usual bound: where the handler reads them as they arrive, and somebody allows it."""

import pytest

MOST = 1_000
LONG = 100_000


@pytest.fixture
async def client(servers, clients):
    """Of a server that allows longer bodies at /stream, and at /echo, which is not streamed."""
    server = await servers(max_body_bytes=MOST)
    server.allow(lambda method, path: LONG if method == b"POST" and path in (b"/stream", b"/echo") else 0)
    return await clients(server)


def head(path: bytes, framing: bytes, method: bytes = b"POST") -> bytes:
    return b"%b %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (method, path, framing)


def sized(length: int) -> bytes:
    return b"Content-Length: %d\r\n" % length


CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("framing", "body"), [(sized(LONG), b"x" * LONG), (CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (LONG, b"x" * LONG))]
)
async def test_a_body_that_is_read_as_it_arrives(client, framing, body):
    """May be as long as is allowed there, with a length or in chunks."""
    for _ in range(2):
        reply = await client.ask(head(b"/stream", framing) + body)
        assert (reply.status, reply.body) == (200, b"x" * LONG)


@pytest.mark.parametrize(
    ("path", "framing", "body", "method"),
    [
        (b"/stream", sized(LONG + 1), b"", b"POST"),
        (b"/stream", sized(MOST + 1), b"", b"PUT"),
        (b"/source", sized(MOST + 1), b"", b"POST"),
        (b"/source", CHUNKED, b"%x\r\n" % (MOST + 1), b"POST"),
        (b"/echo", sized(MOST + 1), b"", b"POST"),
        (b"/echo", CHUNKED, b"%x\r\n" % (MOST + 1), b"POST"),
    ],
)
async def test_what_is_longer_still(client, path, framing, body, method):
    """Is refused with 413, and so is what would have to be held."""
    reply = await client.ask(head(path, framing, method) + body)
    assert reply.status == 413
