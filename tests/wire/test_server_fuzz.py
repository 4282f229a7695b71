"""Ten thousand bad requests on a live server."""

import asyncio
import random
from typing import cast

from tests.wire.app import until
from tests.wire.test_vectors import mutate
from tests.wire.vectors import VECTORS

REQUESTS = 10_000
AT_ONCE = 100
SEED = 1_977


def garbage(rng: random.Random) -> bytes:
    """A mutated vector, several in a row, a part of one, or noise."""
    raw = mutate(rng.choice(VECTORS).raw, rng)
    kind = rng.randrange(8)
    if kind == 0:
        return raw[: rng.randrange(len(raw) + 1)]
    if kind == 1:
        return rng.randbytes(rng.randrange(1, 400))
    if kind == 2:
        return raw + mutate(rng.choice(VECTORS).raw, rng)
    return raw


class Prober(asyncio.Protocol):
    """Sends, then leaves in some way; `over` is done with what came back."""

    def __init__(self, data: bytes, way: int, over: "asyncio.Future[bytes]") -> None:
        self.data = data
        self.way = way
        self.over = over
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        half = len(self.data) // 2
        transport.write(self.data[:half])
        asyncio.get_running_loop().call_soon(self.finish, transport, self.data[half:])

    def finish(self, transport: asyncio.Transport, data: bytes) -> None:
        if transport.is_closing():
            return
        transport.write(data)
        if self.way == 0:
            transport.abort()
        elif self.way == 1:
            transport.close()
        else:
            transport.write(b"\r\n\r\n")  # no head is left open by this
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.answer += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set_result(self.answer)


async def one(port: int, data: bytes, way: int) -> bytes:
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    await loop.create_connection(lambda: Prober(data, way, over), "127.0.0.1", port)
    return await over


async def test_ten_thousand_bad_requests(servers, app, caplog):
    """Each connection is answered or closed, nothing hangs, nothing is left, and the server serves on."""
    server = await servers(max_header_bytes=16_384, max_body_bytes=100_000)
    rng = random.Random(SEED)
    answers: list[bytes] = []

    async def worker() -> None:
        for _ in range(REQUESTS // AT_ONCE):
            answer = await one(server.port, garbage(rng), rng.randrange(8))
            answers.append(answer)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    assert len(answers) == REQUESTS
    statuses = {answer[9:12] for answer in answers if answer}
    assert {b"200", b"400", b"413", b"414", b"431", b"501", b"505"} <= statuses
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers if answer)
    await until(lambda: server.statistics()[:2] == (0, 0))
    await until(lambda: not app.tasks)
    assert caplog.text == ""
    assert (await one(server.port, b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 2)).startswith(
        b"HTTP/1.1 "
    )
