"""Heads that are alike share what the handler made of them; no others do."""

import pytest

KEY = b"Authorization: Bearer one\r\n"


def post(body: bytes, headers: bytes = KEY, path: bytes = b"/echo") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (path, headers, len(body), body)


async def test_requests_that_differ_in_their_length_only_share_a_note(client, app):
    """From the second request on, when the wire knows what to compare with."""
    for body in (b"a", b"bb", b"ccc", b"dddd"):
        assert (await client.ask(post(body))).body == body
    _, second, *later = [exchange.alike for exchange in app.seen]
    assert all(alike is second for alike in later)
    assert [int(exchange.header(b"content-length")) for exchange in app.seen] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "other",
    [
        post(b"x", b"Authorization: Bearer two\r\n"),
        post(b"x", b""),
        post(b"x", KEY + b"X-More: 1\r\n"),
        post(b"x", path=b"/echo/"),
        b"PUT" + post(b"x")[4:],
        b"POST /echo HTTP/1.1\r\nHost: a\r\n" + KEY + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    ],
    ids=["another key", "no key", "one more header", "another path", "another method", "chunked"],
)
async def test_any_other_difference_is_another_head(client, app, other):
    """Whatever it is: what was found out about one client must not hold for another."""
    for _ in range(3):
        await client.ask(post(b"a"))
    app.seen[-1].alike.note = "mine"
    await client.ask(other)
    assert app.seen[-1].alike.note is None
