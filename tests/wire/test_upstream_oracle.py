"""Replies right and wrong, without sockets: what is returned is what h11 reads, and nothing else."""

import asyncio
import random
from typing import NamedTuple

import h11
import pytest

from tests.wire.test_vectors import Wire, mutate
from tidegate.ports import TransportError
from tidegate.wire.sending import STREAMED, WHOLE, Owner, Sending
from tidegate.wire.upstream_connection import UpstreamConnection

SEED = 1_991
MUTATIONS = 4_000
FAR = 1 << 60

REPLIES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nX-Request-Id: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nup to the end",
    b"HTTP/1.0 200 OK\r\n\r\nup to the end",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
]


class Read(NamedTuple):
    """What a reader makes of some bytes: None for the status is an error. `reusable`: another request may follow."""

    status: int | None
    body: bytes = b""
    reusable: bool = False


ERROR = Read(None)


class Pool(Owner):
    """Of one."""

    def __init__(self) -> None:
        super().__init__(1 << 20)
        self.idle_deadline = self.first_byte_deadline = FAR
        self.released = 0

    def release(self, connection: Sending) -> None:
        self.released += 1

    def lost(self, connection: Sending) -> None:
        pass


class Plain(Wire):
    """Like TLS, it has no descriptor that could be written to directly."""

    def get_extra_info(self, name, default=None):
        return name == "sslcontext" or default


class Sink:
    def __init__(self) -> None:
        self.data = b""
        self.complete = False

    def chunk(self, data: bytes) -> None:
        self.data += data

    def end(self) -> None:
        self.complete = True

    def failed(self, error: TransportError) -> None:
        self.complete = False


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def ours(loop, pieces: list[bytes], mode: int = WHOLE) -> Read:
    """What the connection returns for a reply in these pieces, followed by the end of the connection."""
    owner = Pool()
    connection = UpstreamConnection(owner, loop)
    wire = Plain()
    connection.connection_made(wire)
    waiter = connection.begin(b"GET / HTTP/1.1\r\n\r\n", mode, FAR)
    assert waiter is not None
    for piece in pieces:
        if not wire.closed:
            connection.data_received(piece)
    reusable = owner.released == 1 and not wire.closed
    if not reusable:
        if not wire.closed:
            connection.eof_received()
        connection.connection_lost(None)
    assert waiter.done()
    if waiter.exception() is not None:
        return ERROR
    reply = waiter.result()
    if reply.stream is None:
        return Read(reply.status, reply.body, reusable)
    sink = Sink()
    reply.stream.attach(sink)
    return Read(reply.status, sink.data, reusable) if sink.complete else ERROR


def theirs(raw: bytes) -> Read:
    """What h11 makes of the same."""
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    parser.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(raw)
    status, body = None, b""
    try:
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(b"")
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                # Empty lines between messages are no message: llhttp has skipped them already.
                extra = parser.trailing_data[0].strip(b"\r\n")
                return Read(status, body, not extra and parser.their_state is h11.DONE)
            elif not isinstance(event, h11.InformationalResponse):
                return ERROR
    except h11.RemoteProtocolError:
        return ERROR


def cut(raw: bytes, rng: random.Random) -> list[bytes]:
    at = sorted(rng.randrange(len(raw) + 1) for _ in range(rng.randrange(3)))
    return [raw[start:end] for start, end in zip([0, *at], [*at, len(raw)], strict=True) if end > start]


@pytest.mark.parametrize("raw", REPLIES)
def test_every_cut_gives_the_same(loop, raw):
    """Streamed or whole, in one piece, two, or byte by byte."""
    whole = ours(loop, [raw])
    for mode in (WHOLE, STREAMED):
        assert ours(loop, [raw[at : at + 1] for at in range(len(raw))], mode) == whole
        for at in range(1, len(raw)):
            assert ours(loop, [raw[:at], raw[at:]], mode) == whole, at


def test_mutated_replies_are_read_as_h11_reads_them(loop):
    """What is returned is what h11 returns too; and a connection that h11 would not use again is not used again."""
    rng = random.Random(SEED)
    returned = 0
    for _ in range(MUTATIONS):
        raw = mutate(rng.choice(REPLIES), rng)
        if not raw:
            continue
        mine = ours(loop, cut(raw, rng), rng.choice((WHOLE, STREAMED)))
        if mine is ERROR:
            continue
        returned += 1
        h11s = theirs(raw)
        assert (mine.status, mine.body) == (h11s.status, h11s.body), raw
        assert h11s.reusable or not mine.reusable, raw
    assert returned > MUTATIONS // 20
