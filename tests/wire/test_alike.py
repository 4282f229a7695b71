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


INPUT = 's=("@method" "@path" "@query" "content-digest");created={0};nonce="nonce-of-number-{0}";keyid="a"'
SIGNED = (
    b"Content-Digest: sha-256=:%d:\r\nAuthorization: Bearer one\r\nsignature-input: %b\r\nX-Tag: 1\r\n"
    b"Signature: s=:%d:\r\n"
)


def signed(number: int, body: bytes = b"a", headers: bytes = SIGNED) -> bytes:
    return post(body, headers % (number, INPUT.format(number).encode(), number))


async def test_signed_requests_share_a_note(client, app):
    """Whose signature, digest and length are other ones each time; each has its own."""
    for number in (9, 10, 11, 1_000_000):
        assert (await client.ask(signed(number, b"b" * (number % 100)))).body == b"b" * (number % 100)
    _, second, *later = app.seen
    assert all(exchange.alike is second.alike for exchange in later)
    for number, exchange in zip((11, 1_000_000), later, strict=True):
        assert exchange.header(b"signature") == b"s=:%d:" % number
        assert exchange.header(b"signature-input") == INPUT.format(number).encode()
        assert exchange.header(b"content-digest") == b"sha-256=:%d:" % number
        assert [name for name, _ in exchange.headers] == [name for name, _ in second.headers]
        assert dict(exchange.headers)[b"signature"] == b"s=:%d:" % number


@pytest.mark.parametrize(
    "other",
    [
        signed(3, headers=SIGNED.replace(b"one", b"two")),
        signed(3, headers=SIGNED.replace(b"X-Tag: 1", b"X-Tag: 2")),
        signed(3, headers=SIGNED.replace(b"X-Tag: 1\r\n", b"")),
        signed(3, headers=SIGNED.replace(b"X-Tag: 1", b"X-Tag: 1\r\nX-Tag: 1")),
        signed(3, headers=SIGNED + b"Signature: s=:4:\r\n"),
        signed(3, headers=SIGNED + b"X-More: 1\r\n"),
        signed(3, headers=b"X-Tag: 1\r\n" + SIGNED.replace(b"X-Tag: 1\r\n", b"")),
        signed(3, headers=SIGNED.replace(b"signature-input", b"Signature-Input")),
        signed(3, headers=SIGNED.replace(b"Signature: ", b"Signature:  ")),
        signed(3, headers=SIGNED.replace(b"Signature: s=:%d:", b"Signature: s=:%d: ")),
        signed(3, headers=SIGNED.replace(b"Signature: s=:%d:", b"Signature: s=:%d:\tb")),
        signed(3, headers=SIGNED.replace(b"Signature: s=:%d:", b"Signature: s=:%d:\xff")),
        post(b"x", b"Authorization: Bearer one\r\n"),
    ],
    ids=[
        "another key", "another line", "a line less", "a line twice", "two signatures", "a line more", "another order",
        "another case", "two spaces", "a space behind", "a tab", "no ASCII", "no signature",
    ],
)  # fmt: skip
async def test_any_other_difference_of_a_signed_head_is_another_head(client, app, other):
    """It is read from its beginning."""
    for number in range(3):
        await client.ask(signed(number))
    app.seen[-1].alike.note = "mine"
    await client.ask(other)
    assert app.seen[-1].alike.note is None


@pytest.mark.parametrize("value", [b"s=:3:\0", b"s=:3:\n", b"s=:3:\x7f", b"s=:3:\r", b"s=:3:\x01"])
async def test_what_no_header_may_hold_is_refused_in_a_signature_too(client, app, value):
    """Also where the head is known but for that."""
    for number in range(3):
        await client.ask(signed(number))
    told = await client.ask(signed(3).replace(b"s=:3:", value))
    assert told.status == 400
    assert len(app.seen) == 3


async def test_a_known_head_has_its_bound(servers, clients, app):
    """A signature that makes it too long is refused as any other head."""
    server = await servers(max_header_bytes=1_024)
    client = await clients(server)
    for number in range(3):
        await client.ask(signed(number))
    told = await client.ask(signed(3).replace(b"s=:3:", b"s=:%b:" % (b"3" * 1_000)))
    assert told.status == 431


TRACED = b"X-Request-Id: r-%d\r\nAuthorization: Bearer one\r\ntraceparent: 00-%d\r\ntracestate: a=%d\r\n"


def traced(number: int, headers: bytes = TRACED) -> bytes:
    return post(b"a", headers % (number, number, number))


async def test_requests_of_a_trace_share_a_note(client, app):
    """Whose id and place in the trace are other ones each time; each has its own."""
    for number in (9, 10, 11):
        await client.ask(traced(number))
    _, second, third = app.seen
    assert third.alike is second.alike
    assert third.header(b"x-request-id") == b"r-11"
    assert (third.header(b"traceparent"), dict(third.headers)[b"tracestate"]) == (b"00-11", b"a=11")


@pytest.mark.parametrize(
    "other",
    [
        traced(3, TRACED.replace(b"one", b"two")),
        traced(3, TRACED.replace(b"X-Request-Id: r-%d", b"X-Request-Id: r-%d\r\nX-Request-Id: r")),
        traced(3, TRACED + b"X-More: 1\r\n"),
        traced(3, TRACED.replace(b"00-%d", b"00-%d\xff")),
        traced(3, TRACED + b"Signature: s=:1:\r\n"),
    ],
    ids=["another key", "an id twice", "a line more", "no ASCII", "a signature"],
)
async def test_any_other_difference_of_a_traced_head_is_another_head(client, app, other):
    """It is read from its beginning."""
    for number in range(3):
        await client.ask(traced(number))
    app.seen[-1].alike.note = "mine"
    await client.ask(other)
    assert app.seen[-1].alike.note is None


async def test_an_unsigned_head_is_another_one_where_its_digest_is(client, app):
    """Only who signs has it judged anew."""
    told = TRACED + b"Content-Digest: sha-256=:%d:\r\n"
    for number in range(3):
        await client.ask(post(b"a", told % (number, number, number, 1)))
    app.seen[-1].alike.note = "mine"
    await client.ask(post(b"a", told % (3, 3, 3, 2)))
    assert app.seen[-1].alike.note is None
