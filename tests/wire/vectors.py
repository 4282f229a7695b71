"""Requests and the verdict on each: the oracle of the server's strictness.

`status` 200 means accepted. A vector is one request, alone on its connection. What h11 refuses must be refused; the
reverse is not asked: most refusals here are of things h11 lets pass.
"""

from typing import NamedTuple


class Vector(NamedTuple):
    """A request as bytes, and what it must be answered with. `body`: what the handler sees of an accepted one."""

    name: str
    raw: bytes
    status: int
    body: bytes = b""


def _post(headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST /v1/x HTTP/" + version + b"\r\nHost: a\r\n" + headers + b"\r\n" + body


def _chunked(body: bytes) -> bytes:
    return _post(b"Transfer-Encoding: chunked\r\n", body)


def _get(line: bytes = b"GET /v1/x HTTP/1.1", headers: bytes = b"Host: a\r\n") -> bytes:
    return line + b"\r\n" + headers + b"\r\n"


ACCEPTED = [
    Vector("get", _get(), 200),
    Vector("get with a query", _get(b"GET /v1/x?a=b&c HTTP/1.1"), 200),
    Vector("a head request", _get(b"HEAD /v1/x HTTP/1.1"), 200),
    Vector("a delete request", _get(b"DELETE /v1/x HTTP/1.1"), 200),
    Vector("http/1.0 without host", _get(b"GET /v1/x HTTP/1.0", b""), 200),
    Vector("http/1.0 with host", _get(b"GET /v1/x HTTP/1.0"), 200),
    Vector("http/1.0 kept alive", _get(b"GET /v1/x HTTP/1.0", b"Connection: keep-alive\r\n"), 200),
    Vector("absolute form", _get(b"GET http://a/v1/x?q HTTP/1.1"), 200),
    Vector("absolute form without a path", _get(b"GET http://a HTTP/1.1"), 200),
    Vector("asterisk form for options", _get(b"OPTIONS * HTTP/1.1"), 200),
    Vector("content-length", _post(b"Content-Length: 3\r\n", b"abc"), 200, b"abc"),
    Vector("content-length zero", _post(b"Content-Length: 0\r\n"), 200),
    Vector("content-length with leading zeros", _post(b"Content-Length: 0003\r\n", b"abc"), 200, b"abc"),
    Vector("content-length with blanks around", _post(b"Content-Length: \t 3 \t\r\n", b"abc"), 200, b"abc"),
    Vector("get with a body", b"GET /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc"),
    Vector("chunked", _chunked(b"3\r\nabc\r\n0\r\n\r\n"), 200, b"abc"),
    Vector("chunked in upper case", _post(b"Transfer-Encoding: CHUNKED\r\n", b"3\r\nabc\r\n0\r\n\r\n"), 200, b"abc"),
    Vector("several chunks", _chunked(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), 200, b"abc0123456789"),
    Vector("an empty chunked body", _chunked(b"0\r\n\r\n"), 200),
    Vector("a chunk with an extension", _chunked(b'3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n'), 200, b"abc"),
    Vector("trailers", _chunked(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n"), 200, b"abc"),
    Vector("crlf crlf within a chunk", _chunked(b"8\r\na\r\n\r\n\r\nb\r\n0\r\n\r\n"), 200, b"a\r\n\r\n\r\nb"),
    Vector("an empty header value", _get(headers=b"Host: a\r\nX:\r\n"), 200),
    Vector("an empty host", _get(headers=b"Host:\r\n"), 200),
    Vector("host with a port", _get(headers=b"Host: example.com:8080\r\n"), 200),
    Vector("host as ipv6", _get(headers=b"Host: [::1]:8080\r\n"), 200),
    Vector("a value with bytes above ascii", _get(headers=b"Host: a\r\nX: caf\xe9\r\n"), 200),
    Vector("a repeated header that decides nothing", _get(headers=b"Host: a\r\nX: 1\r\nX: 2\r\n"), 200),
    Vector("a name of all legal signs", _get(headers=b"Host: a\r\n!#$%&'*+-.^_`|~09aZ: 1\r\n"), 200),
    Vector("connection close", _get(headers=b"Host: a\r\nConnection: close\r\n"), 200),
    Vector("upgrade without connection", _get(headers=b"Host: a\r\nUpgrade: websocket\r\n"), 200),
    Vector(
        "h2c, which some clients always offer",
        _post(
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\nContent-Length: 3\r\n", b"abc"
        ),
        200,
        b"abc",
    ),
]

REFUSED = [
    # two framings, and framings that are none
    Vector("cl then te", _post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    Vector("te then cl", _post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"0\r\n\r\n"), 400),
    Vector("two equal content-lengths", _post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"), 400),
    Vector("two content-lengths", _post(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"), 400),
    Vector("a list of content-lengths", _post(b"Content-Length: 3, 3\r\n", b"abc"), 400),
    Vector("content-length plus", _post(b"Content-Length: +3\r\n", b"abc"), 400),
    Vector("content-length minus", _post(b"Content-Length: -3\r\n", b"abc"), 400),
    Vector("content-length hex", _post(b"Content-Length: 0x3\r\n", b"abc"), 400),
    Vector("content-length with a blank", _post(b"Content-Length: 3 3\r\n", b"abc"), 400),
    Vector("content-length underscore", _post(b"Content-Length: 1_0\r\n", b"0123456789"), 400),
    Vector("content-length empty", _post(b"Content-Length:\r\n"), 400),
    Vector("content-length of 23 digits", _post(b"Content-Length: 99999999999999999999999\r\n", b"abc"), 400),
    Vector("content-length of 2^64", _post(b"Content-Length: 18446744073709551616\r\n", b"abc"), 400),
    Vector("content-length with a vertical tab", _post(b"Content-Length:\x0b3\r\n", b"abc"), 400),
    Vector("content-length arabic digits", _post(b"Content-Length: \xd9\xa3\r\n", b"abc"), 400),
    Vector("gzip, chunked", _post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400),
    Vector("chunked, gzip", _post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), 400),
    Vector("identity", _post(b"Transfer-Encoding: identity\r\n", b"abc"), 400),
    Vector("chunked twice in a value", _post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), 400),
    Vector("chunked twice", _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    Vector(
        "chunked and identity",
        _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
        400,
    ),
    Vector("xchunked", _post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), 400),
    Vector("chunked in quotes", _post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"), 400),
    Vector("chunked with a parameter", _post(b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n"), 400),
    Vector("chunked after a vertical tab", _post(b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n"), 400),
    Vector("an empty transfer-encoding", _post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n"), 400),
    Vector("te before the colon", _post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), 400),
    Vector("chunked on http/1.0", _post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"1.0"), 400),
    Vector("cl and te on http/1.0", _post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"abc", b"1.0"), 400),
    Vector("folded transfer-encoding", _post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), 400),
    # chunks
    Vector("chunk size hex prefix", _chunked(b"0x3\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size minus", _chunked(b"-3\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size plus", _chunked(b"+3\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size empty", _chunked(b"\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size not hex", _chunked(b"g\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size of 17 digits", _chunked(b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size of 41 digits", _chunked(b"0" * 40 + b"3\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size blank before", _chunked(b" 3\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size blank after", _chunked(b"3 \r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size blank before extension", _chunked(b"3 ;a\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size underscore", _chunked(b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"), 400),
    Vector("chunk size ends in lf", _chunked(b"3\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk size ends in cr", _chunked(b"3\rabc\r\n0\r\n\r\n"), 400),
    Vector("chunk data ends in lf", _chunked(b"3\r\nabc\n0\r\n\r\n"), 400),
    Vector("chunk data longer than its size", _chunked(b"3\r\nabcd\r\n0\r\n\r\n"), 400),
    Vector("chunk data shorter than its size", _chunked(b"5\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk extension with lf", _chunked(b"3;a\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk extension with cr", _chunked(b"3;a\rb\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk extension with nul", _chunked(b"3;a\0\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("chunk extension of 1,000 bytes", _chunked(b"3;" + b"a" * 1_000 + b"\r\nabc\r\n0\r\n\r\n"), 400),
    Vector("last chunk ends in lf", _chunked(b"3\r\nabc\r\n0\n\r\n"), 400),
    Vector("the end is lf", _chunked(b"3\r\nabc\r\n0\r\n\n"), 400),
    Vector("a folded trailer", _chunked(b"3\r\nabc\r\n0\r\nX: 1\r\n y\r\n\r\n"), 400),
    Vector("a trailer without colon", _chunked(b"3\r\nabc\r\n0\r\nX\r\n\r\n"), 400),
    Vector("a trailer with a blank before the colon", _chunked(b"3\r\nabc\r\n0\r\nX : 1\r\n\r\n"), 400),
    Vector("a trailer with nul", _chunked(b"3\r\nabc\r\n0\r\nX: \0\r\n\r\n"), 400),
    Vector("a trailer that frames", _chunked(b"3\r\nabc\r\n0\r\nContent-Length: 4\r\n\r\n"), 400),
    Vector("a trailer that names a host", _chunked(b"3\r\nabc\r\n0\r\nHost: b\r\n\r\n"), 400),
    Vector("a trailer that ends in lf", _chunked(b"3\r\nabc\r\n0\r\nX: 1\n\r\n"), 400),
    # lines
    Vector("bare lf throughout", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    Vector("bare lf after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    Vector("bare lf after a header", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    Vector("bare lf at the end", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    Vector("bare cr in a header", b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    Vector("bare cr in the request line", b"GET /\rHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Vector("a line within the target", b"GET /\r\nX: HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Vector("lf within the target", b"GET /\nX: HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Vector("a folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
    Vector("a header folded by a tab", b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400),
    Vector("a fold as first header", b"GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", 400),
    Vector("an empty line first", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Vector("a line feed first", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Vector("a blank first", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    # names and values
    Vector("blank before the colon", _get(headers=b"Host : a\r\n"), 400),
    Vector("tab before the colon", _get(headers=b"Host: a\r\nX\t: b\r\n"), 400),
    Vector("blank within a name", _get(headers=b"Host: a\r\nX Y: b\r\n"), 400),
    Vector("an empty name", _get(headers=b"Host: a\r\n: b\r\n"), 400),
    Vector("no colon", _get(headers=b"Host: a\r\nX\r\n"), 400),
    Vector("parentheses in a name", _get(headers=b"Host: a\r\nX(y): b\r\n"), 400),
    Vector("a slash in a name", _get(headers=b"Host: a\r\nX/y: b\r\n"), 400),
    Vector("a name above ascii", _get(headers=b"Host: a\r\nX\xe9: b\r\n"), 400),
    Vector("nul in a name", _get(headers=b"Host: a\r\nX\0: b\r\n"), 400),
    Vector("nul in a value", _get(headers=b"Host: a\r\nX: a\0b\r\n"), 400),
    Vector("soh in a value", _get(headers=b"Host: a\r\nX: a\x01b\r\n"), 400),
    Vector("vertical tab in a value", _get(headers=b"Host: a\r\nX: a\x0bb\r\n"), 400),
    Vector("form feed in a value", _get(headers=b"Host: a\r\nX: a\x0cb\r\n"), 400),
    Vector("escape in a value", _get(headers=b"Host: a\r\nX: a\x1bb\r\n"), 400),
    Vector("delete in a value", _get(headers=b"Host: a\r\nX: a\x7fb\r\n"), 400),
    # host
    Vector("no host", _get(headers=b""), 400),
    Vector("two hosts", _get(headers=b"Host: a\r\nHost: b\r\n"), 400),
    Vector("two equal hosts", _get(headers=b"Host: a\r\nHost: a\r\n"), 400),
    Vector("two hosts on http/1.0", _get(b"GET / HTTP/1.0", b"Host: a\r\nHost: a\r\n"), 400),
    Vector("host with a blank", _get(headers=b"Host: a b\r\n"), 400),
    Vector("host with a path", _get(headers=b"Host: a/b\r\n"), 400),
    Vector("host with a user", _get(headers=b"Host: u@a\r\n"), 400),
    Vector("host list", _get(headers=b"Host: a, http://b/\r\n"), 400),
    Vector("host above ascii", _get(headers=b"Host: \xe9\r\n"), 400),
    Vector("host with a port that is none", _get(headers=b"Host: a:b\r\n"), 400),
    # the request line
    Vector("http/0.9", b"GET /\r\n\r\n", 400),
    Vector("http/0.9 by name", _get(b"GET / HTTP/0.9"), 505),
    Vector("http/1.2", _get(b"GET / HTTP/1.2"), 505),
    Vector("http/2.0", _get(b"GET / HTTP/2.0"), 505),
    Vector("http/3", _get(b"GET / HTTP/3"), 505),
    Vector("http/1.10", _get(b"GET / HTTP/1.10"), 505),
    Vector("http/11.1", _get(b"GET / HTTP/11.1"), 505),
    Vector("the http/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Vector("http in lower case", _get(b"GET / http/1.1"), 400),
    Vector("no version digits", _get(b"GET / HTTP/"), 400),
    Vector("rtsp", _get(b"SETUP / RTSP/1.0"), 400),
    Vector("ice", _get(b"SOURCE / ICE/1.0"), 400),
    Vector("two blanks after the method", _get(b"GET  / HTTP/1.1"), 400),
    Vector("two blanks after the target", _get(b"GET /  HTTP/1.1"), 400),
    Vector("a blank after the version", _get(b"GET / HTTP/1.1 "), 400),
    Vector("tabs for blanks", _get(b"GET\t/\tHTTP/1.1"), 400),
    Vector("a blank in the target", _get(b"GET /a b HTTP/1.1"), 400),
    Vector("a target above ascii", _get(b"GET /\xe9 HTTP/1.1"), 400),
    Vector("nul in the target", _get(b"GET /a\0 HTTP/1.1"), 400),
    Vector("delete in the target", _get(b"GET /a\x7f HTTP/1.1"), 400),
    Vector("a fragment", _get(b"GET /a#b HTTP/1.1"), 400),
    Vector("an unknown method", _get(b"FOO / HTTP/1.1"), 400),
    Vector("a method in lower case", _get(b"get / HTTP/1.1"), 400),
    Vector("no method", _get(b" / HTTP/1.1"), 400),
    Vector("authority form", _get(b"GET a:80 HTTP/1.1"), 400),
    Vector("a relative target", _get(b"GET a/b HTTP/1.1"), 400),
    Vector("asterisk form for get", _get(b"GET * HTTP/1.1"), 400),
    Vector("absolute form of ftp", _get(b"GET ftp://a/ HTTP/1.1"), 400),
    Vector("absolute form without a host", _get(b"GET http:///a HTTP/1.1"), 400),
    Vector("absolute form with a user", _get(b"GET http://u@a/ HTTP/1.1"), 400),
    Vector("a tls hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    Vector("socks 5", b"\x05\x01\x00", 400),
    Vector("a redis command", b"*1\r\n$4\r\nPING\r\n", 400),
    # what is not done here
    Vector("connect", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    Vector("websocket", _get(headers=b"Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), 501),
    Vector("websocket and h2c", _get(headers=b"Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n"), 501),
    Vector("an unknown expectation", _post(b"Expect: magic\r\nContent-Length: 3\r\n", b"abc"), 417),
    # limits (see `SETTINGS` in test_vectors.py)
    Vector("a target of 9,000 bytes", _get(b"GET /" + b"a" * 9_000 + b" HTTP/1.1"), 414),
    Vector("a target without end", b"GET /" + b"a" * 20_000, 414),
    Vector("headers of 20,000 bytes", _get(headers=b"Host: a\r\nX: " + b"b" * 20_000 + b"\r\n"), 431),
    Vector("headers without end", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 4_000, 431),
    Vector("300 headers", _get(headers=b"Host: a\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(300))), 431),
    Vector("a content-length above the limit", _post(b"Content-Length: 100001\r\n"), 413),
    Vector("chunks above the limit", _chunked(b"186a1\r\n"), 413),
    Vector("many chunks above the limit", _chunked(b"ffff\r\n" + b"x" * 65_535 + b"\r\n" + b"ffff\r\n"), 413),
]

VECTORS = ACCEPTED + REFUSED
