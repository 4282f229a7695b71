"""A live server: one connection, its requests and replies."""

import h11
import pytest

from tests.wire.app import TEXT, App, Client, until
from tidegate.wire.server import Server

GET = b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"


def post(path: bytes, body: bytes, headers: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (path, headers, len(body), body)


async def test_an_exchange_has_all_of_the_request(client, app):
    """Names come in lower case, values without blanks around, the target apart."""
    reply = await client.ask(
        b"PUT /echo?x=1&y HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nX-Two: a\r\nx-two: b\r\nContent-Length: 2\r\n\r\nhi"
    )
    exchange = app.seen[0]
    assert (reply.status, reply.body) == (200, b"hi")
    assert (exchange.method, exchange.target) == (b"PUT", b"/echo?x=1&y")
    assert (exchange.path, exchange.query) == (b"/echo", b"x=1&y")
    assert exchange.peer == "127.0.0.1"
    assert exchange.headers == [
        (b"host", b"a"), (b"x-one", b"1"), (b"x-two", b"a"), (b"x-two", b"b"), (b"content-length", b"2"),
    ]  # fmt: skip
    assert (exchange.header(b"x-two"), exchange.header(b"x-none")) == (b"a", None)


async def test_absolute_form_is_read_as_its_path(client, app):
    """As RFC 9112 demands of every server."""
    await client.ask(b"GET http://other:80/echo?q HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (app.seen[0].path, app.seen[0].query) == (b"/echo", b"q")


async def test_replies_have_length_and_date(client):
    """And no connection header when the connection stays."""
    reply = await client.ask(GET)
    assert reply.headers == {
        b"date": b"Tue, 14 Nov 2023 22:13:21 GMT",
        b"content-type": b"text/plain",
        b"content-length": b"0",
    }


async def test_the_date_moves_on(client, clock):
    """It is renewed while the server runs."""
    await client.ask(GET)
    await clock.advance(2_000_000)
    assert (await client.ask(GET)).headers[b"date"] == b"Tue, 14 Nov 2023 22:13:23 GMT"


async def test_a_connection_serves_many_requests(client, server):
    """Kept alive, one after the other."""
    for number in range(50):
        body = b"%d" % number
        assert (await client.ask(post(b"/echo", body))).body == body
    assert server.statistics() == (1, 0, 50, 0)


async def test_pipelined_requests_are_answered_in_order(client):
    """Also when they come in one piece and are answered at once."""
    client.send(b"".join(post(b"/echo", b"%d" % number) for number in range(300)))
    assert [(await client.reply()).body for _ in range(300)] == [b"%d" % number for number in range(300)]


async def test_pipelined_requests_wait_for_a_slow_one(client, app):
    """The second is not even handed over before the first is answered."""
    client.send(post(b"/hold", b"1") + post(b"/echo", b"2") + GET)
    await until(lambda: len(app.held) == 1)
    assert len(app.seen) == 1
    app.held[0].respond(200, TEXT, b"slow")
    assert [(await client.reply()).body for _ in range(3)] == [b"slow", b"2", b""]


async def test_a_chunked_request_may_be_followed_by_another(client):
    """Its end is found to the byte, wherever the bytes are cut."""
    raw = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na\r\n\r\nb\r\n0\r\nX: y\r\n\r\n"
    for at in range(len(raw)):
        client.send(raw[:at])
        await client.writer.drain()
        client.send(raw[at:] + GET)
        assert [(await client.reply()).body for _ in range(2)] == [b"a\r\n\r\nb", b""], at


async def test_a_bad_request_behind_a_good_one_is_answered_second(client):
    """Refusals keep their place, and end the connection."""
    client.send(post(b"/echo", b"1") + b"NONSENSE\r\n\r\n" + GET)
    assert [(await client.reply()).status for _ in range(2)] == [200, 400]
    assert await client.rest() == b""


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 429, 500, 529, 599])
async def test_any_status(client, status):
    """Known or not; 204 and 304 without a body, and the connection in step afterwards."""
    reply = await client.ask(b"GET /status/%d HTTP/1.1\r\nHost: a\r\n\r\n" % status)
    assert (reply.status, reply.body) == (status, b"" if status in {204, 304} else b"x")
    assert (b"content-length" in reply.headers) == (status != 204)
    assert (await client.ask(GET)).status == 200


async def test_head_has_the_length_but_no_body(client):
    """Whether the reply is whole or in chunks."""
    reply = await client.ask(b"HEAD /status/200 HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
    assert (reply.headers[b"content-length"], reply.body) == (b"1", b"")
    reply = await client.ask(b"HEAD /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "HEAD")
    assert (reply.headers[b"transfer-encoding"], reply.body) == (b"chunked", b"")
    assert (await client.ask(GET)).status == 200


async def test_a_refused_head_request_has_no_body_either(client):
    """Or the client would take it for the next reply."""
    client.send(b"HEAD / HTTP/1.1\r\n\r\n")
    raw = await client.rest()
    assert raw.startswith(b"HTTP/1.1 400 ")
    assert raw.endswith(b"\r\n\r\n")


async def test_http_1_0_is_closed_after_its_reply(client):
    """Unless the client asks to keep it."""
    reply = await client.ask(b"POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")
    assert (reply.body, reply.headers[b"connection"]) == (b"hi", b"close")
    assert await client.rest() == b""


async def test_http_1_0_is_kept_when_asked(client):
    """And told so."""
    for _ in range(2):
        reply = await client.ask(b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert reply.headers[b"connection"] == b"keep-alive"


async def test_http_1_0_gets_no_chunks(client):
    """A reply of unknown length ends with the connection."""
    client.send(b"POST /stream HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
    head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert (b"connection: close" in head, body) == (True, b"hello")


async def test_an_aborted_http_1_0_reply_is_a_reset(client, app):
    """An orderly end would look complete."""
    client.send(b"GET /hold HTTP/1.0\r\n\r\n")
    await until(lambda: bool(app.held))
    app.held[0].start(200, TEXT)
    app.held[0].write(b"part")
    await client.reader.readuntil(b"part")
    app.held[0].abort()
    with pytest.raises(ConnectionResetError):
        await client.reader.read()


async def test_an_aborted_chunked_reply_has_no_end(client, app):
    """The client sees that it is cut, and the handler hears nothing more."""
    client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(app.held))
    app.held[0].start(200, TEXT)
    app.held[0].write(b"part")
    app.held[0].abort()
    app.held[0].abort()
    app.held[0].write(b"ignored")
    app.held[0].end()
    with pytest.raises((h11.RemoteProtocolError, ConnectionError)):
        await client.reply()
    assert app.gone == 0


async def test_connection_close_is_obeyed(client):
    """The reply says so too."""
    reply = await client.ask(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")
    assert reply.headers[b"connection"] == b"close"
    assert await client.rest() == b""


async def test_a_body_may_be_chunked_both_ways(client):
    """Streams in, streams out, and the connection goes on."""
    reply = await client.ask(
        b"POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    )
    assert (reply.body, reply.headers[b"transfer-encoding"]) == (b"abcdef", b"chunked")
    assert (await client.ask(GET)).status == 200


async def test_a_large_body_travels_both_ways(client):
    """Unchanged."""
    body = bytes(range(256)) * 8_000
    assert (await client.ask(post(b"/echo", body))).body == body
    assert (await client.ask(post(b"/stream", body))).body == body


async def test_a_second_reply_is_a_programming_error(client, app):
    """And so is a piece of a body before its head."""
    client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(app.held))
    exchange = app.held[0]
    with pytest.raises(RuntimeError, match="between"):
        exchange.write(b"x")
    with pytest.raises(RuntimeError, match="after `start`"):
        exchange.end()
    assert not exchange.replied
    exchange.start(200, TEXT)
    assert exchange.replied
    with pytest.raises(RuntimeError, match="one reply"):
        exchange.respond(200, TEXT, b"")
    with pytest.raises(RuntimeError, match="one reply"):
        exchange.start(200, TEXT)
    exchange.end()
    exchange.end()
    assert (await client.reply()).body == b""


async def test_a_status_that_is_none_is_a_programming_error(client, app):
    """The client still gets an answer."""
    assert (await client.ask(b"GET /status/99 HTTP/1.1\r\nHost: a\r\n\r\n")).status == 500


@pytest.mark.parametrize("path", [b"/fail", b"/fail-head"])
async def test_a_failing_handler_is_a_500(client, app, path, caplog):
    """In the handler's own words, and on record."""
    reply = await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
    assert (reply.status, b"internal_error" in reply.body) == (500, True)
    assert app.gone == 1
    assert "on purpose" in caplog.text


async def test_a_handler_that_fails_in_mid_reply_cuts_it(client):
    """There is no second status line."""
    with pytest.raises((h11.RemoteProtocolError, ConnectionError)):
        await client.ask(b"GET /fail-late HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_an_answer_to_the_head_alone(client, app):
    """A small body is skipped and the connection goes on; the handler is not called."""
    assert (await client.ask(post(b"/early", b"x" * 1_000))).status == 401
    assert (await client.ask(post(b"/echo", b"y"))).body == b"y"


async def test_an_answer_to_the_head_before_a_large_body(client):
    """Closes the connection in such a way that the client, still writing, can read the answer."""
    client.send(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
    for _ in range(30):
        client.send(b"x" * 100_000)
        await client.writer.drain()
    reply = await client.reply()
    assert (reply.status, reply.headers[b"connection"]) == (401, b"close")


async def test_a_reply_that_began_with_the_head(client, app):
    """The body is skipped while the reply goes on."""
    client.send(post(b"/early-stream", b"x" * 1_000))
    await until(lambda: bool(app.seen))
    app.seen[0].write(b" reply")
    app.seen[0].end()
    assert (await client.reply()).body == b"early reply"
    assert (await client.ask(GET)).status == 200


async def test_expect_100_continue(client):
    """The client is told to go on, once, before the reply."""
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
    assert await client.reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await client.ask(b"hi")).body == b"hi"


async def test_expect_with_the_body_already_there(client):
    """Needs no interim reply."""
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
    assert (await client.reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_expect_of_http_1_0_is_ignored(client):
    """RFC 9110, 10.1.1."""
    client.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (await client.ask(b"hi")).body == b"hi"


async def test_expect_and_refused_by_its_head(client):
    """Closes: the client may send the body or not, and nobody knows."""
    reply = await client.ask(b"POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (reply.status, reply.headers[b"connection"]) == (401, b"close")
    assert await client.rest() == b""


async def test_h2c_is_ignored_and_the_connection_goes_on(client):
    """With a body, which llhttp alone would not read."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
    assert (await client.ask(post(b"/echo", b"one", upgrade))).body == b"one"
    assert (await client.ask(post(b"/echo", b"two"))).body == b"two"


async def test_a_refusal_knows_the_path(client):
    """So the handler can choose the dialect."""
    reply = await client.ask(b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    assert b'"path":"/v1/messages"' in reply.body
    assert reply.headers[b"content-type"] == b"application/json"


async def test_more_connections_than_allowed_are_told(servers, clients, app):
    """With a 503, and the others go on."""
    server = await servers(max_connections=1)
    first: Client = await clients(server)
    assert (await first.ask(GET)).status == 200
    second: Client = await clients(server)
    assert (await second.reply()).status == 503
    second.close()
    await until(lambda: server.statistics().connections == 1)
    assert (await first.ask(GET)).status == 200


async def test_statistics_count(client: Client, server: Server, app: App):
    """Connections, calls in progress, requests and refusals."""
    client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(app.held))
    assert server.statistics() == (1, 1, 1, 0)
    app.held[0].respond(200, TEXT, b"")
    await client.reply()
    assert (await client.ask(b"X\r\n\r\n")).status == 400
    assert server.statistics() == (1, 0, 1, 1)
