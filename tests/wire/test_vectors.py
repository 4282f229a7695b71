"""The table of requests against the server, against h11, and cut at every byte."""

import asyncio
import random

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.app import App
from tests.wire.vectors import ACCEPTED, REFUSED, VECTORS, Vector
from tidegate.model.snapshot import ServerSettings
from tidegate.testing.clock import ManualClock
from tidegate.wire.connection import ServerConnection
from tidegate.wire.hub import Hub

SETTINGS = ServerSettings(max_url_bytes=8_192, max_header_bytes=16_384, max_body_bytes=100_000)
INCOMPLETE = 0
SEED = 20_261_121
MUTATIONS = 4_000


class Wire(asyncio.Transport):
    """A transport that only takes down what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, pieces: list[bytes]) -> None:
        self.written += b"".join(pieces)

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Bench:
    """Connections without sockets: thousands of verdicts a second."""

    def __init__(self) -> None:
        self.app = App()
        self.loop = asyncio.new_event_loop()
        self.hub = Hub(self.app, SETTINGS, ManualClock(), self.loop)

    def open(self) -> tuple[ServerConnection, Wire]:
        wire = Wire()
        connection = ServerConnection(self.hub)
        connection.connection_made(wire)
        return connection, wire

    def verdict(self, pieces: list[bytes], after: bytes = b"") -> tuple[int, bytes]:
        """The status of the reply (or `INCOMPLETE`) and the body of an accepted request.

        `after`: a good request that the connection has served twice before.
        """
        connection, wire = self.open()
        for _ in range(2 if after else 0):
            connection.data_received(after)
            assert wire.written.startswith(b"HTTP/1.1 200 ")
            wire.written = b""
        self.app.seen.clear()
        for piece in pieces:
            if not wire.closed:
                connection.data_received(piece)
        connection.connection_lost(None)
        status = int(wire.written[9:12]) if wire.written.startswith(b"HTTP/1.1 ") else INCOMPLETE
        if status >= 400:
            assert wire.closed
            assert b"connection: close\r\n" in wire.written
        return status, self.app.seen[0].body if status == 200 else b""

    def told(self) -> tuple[list[tuple[bytes, bytes]], bytes | None, bytes] | None:
        """What the handler was told of the last request."""
        if not self.app.seen:
            return None
        exchange = self.app.seen[0]
        return exchange.headers, exchange.header(b"content-length"), exchange.target


@pytest.fixture(scope="module")
def bench():
    made = Bench()
    yield made
    made.hub.close()
    made.loop.close()


def h11_refuses(raw: bytes) -> bool:
    """Whether h11 finds anything wrong with the one request in `raw`."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 24)
    try:
        parser.receive_data(raw)
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA or event is h11.PAUSED:
                break
    except h11.RemoteProtocolError:
        return True
    return False


def by_name(vector: Vector) -> str:
    return vector.name


def cuts(raw: bytes) -> list[int]:
    """Every offset; of long requests the first and last 150 and some between."""
    if len(raw) <= 500:
        return list(range(1, len(raw)))
    return [*range(1, 150), *range(150, len(raw) - 150, 1_997), *range(len(raw) - 150, len(raw))]


@pytest.mark.parametrize("vector", VECTORS, ids=by_name)
def test_verdict(bench, vector):
    """As the table says, however the bytes arrive: in one piece, cut in two anywhere, one at a time."""
    raw, status, body = vector.raw, vector.status, vector.body
    assert bench.verdict([raw]) == (status, body)
    for at in cuts(raw):
        assert bench.verdict([raw[:at], raw[at:]]) == (status, body), at
    assert bench.verdict([raw[at : at + 1] for at in range(len(raw))]) == (status, body)


def test_h11_refuses_nothing_that_is_accepted():
    """What h11 refuses, the table refuses."""
    assert [vector.name for vector in ACCEPTED if h11_refuses(vector.raw)] == []


def test_the_table_goes_beyond_h11():
    """The leniencies known of h11 are refused: both framings, equal lengths, folds, bare line feeds."""
    beyond = {vector.name for vector in REFUSED if not h11_refuses(vector.raw)}
    assert {"cl then te", "two equal content-lengths", "a folded header", "bare lf throughout"} <= beyond


def mutate(raw: bytes, rng: random.Random) -> bytes:
    """One to three small changes of the kind that smugglers try."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            del data[at]
        elif kind == 1:
            data[at:at] = rng.choice(
                (b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b"0", b";", b":", b",", b"\x0b", b"\xff")
            )
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 3 and at < len(data):
            data[at:at] = data[at : at + rng.randint(1, 20)]
        elif at < len(data):
            data[at] ^= 0x20
    return bytes(data)


def test_mutations_that_h11_refuses_are_refused(bench):
    """Seeded changes to every vector: never does the server accept what h11 refuses."""
    rng = random.Random(SEED)
    short = [vector.raw for vector in VECTORS if len(vector.raw) < 600]
    accepted = 0
    for _ in range(MUTATIONS):
        raw = mutate(rng.choice(short), rng)
        if not raw:
            continue
        status, _ = bench.verdict([raw])
        accepted += status == 200
        assert status != 200 or not h11_refuses(raw), raw
    assert accepted > MUTATIONS // 100


USUAL = [
    b"GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: y\r\n\r\nabc",
    b"POST /v1/x HTTP/1.1\r\nHost: a3\r\nAuthorization: Bearer 3\r\ncontent-length:\t3 \r\n\r\nabc",
]


@pytest.mark.parametrize("usual", USUAL)
def test_what_a_connection_has_served_does_not_soften_it(bench, usual):
    """After good requests every vector has the verdict it has on a fresh connection."""
    for vector in VECTORS:
        assert bench.verdict([vector.raw], after=usual) == (vector.status, vector.body), vector.name


def test_heads_almost_like_the_last_one(bench):
    """A head is recognised or read anew: the verdict, the body and what the handler is told are the same."""
    rng = random.Random(SEED)
    recognised = 0
    for _ in range(MUTATIONS):
        usual = rng.choice(USUAL)
        raw = mutate(usual, rng) if rng.random() < 0.7 else usual.replace(b"3 \r", b"%d \r" % rng.randrange(12))
        if not raw:
            continue
        fresh = bench.verdict([raw]), bench.told()
        assert (bench.verdict([raw], after=usual), bench.told()) == fresh, raw
        connection, _ = bench.open()
        for request in (usual, usual, raw):
            connection.data_received(request)
        recognised += connection._misses == 0
    assert MUTATIONS // 10 < recognised < MUTATIONS


NAMES = st.sampled_from(
    [b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"X", b"content-length", b"Expect"]
)
VALUES = st.sampled_from(
    [b"a", b"3", b"chunked", b"close", b"0", b"3 ", b"", b"100-continue", b"3,3", b"\tchunked"]
) | st.binary(max_size=6)
COLONS = st.sampled_from([b":", b": ", b" :", b":\t"])
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\n "])
HEADERS = st.lists(st.tuples(NAMES, COLONS, VALUES, ENDS).map(b"".join), max_size=4).map(b"".join)
LINES = st.sampled_from(
    [b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.0\r\n", b"GET  / HTTP/1.1\r\n"]
)
BODIES = st.sampled_from(
    [b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3;x\r\nabc\r\n0\r\nA: b\r\n\r\n", b"0\r\n\r\n"]
) | st.binary(max_size=12)


@settings(max_examples=250, deadline=None)
@given(line=LINES, headers=HEADERS, body=BODIES)
def test_composed_requests_that_h11_refuses_are_refused(bench, line, headers, body):
    """Requests put together of good and bad pieces: never does the server accept what h11 refuses."""
    raw = line + headers + b"\r\n" + body
    status, _ = bench.verdict([raw])
    assert status != 200 or not h11_refuses(raw)
