"""Ten thousand bad requests on a live server."""

import asyncio
import random

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


async def one(port: int, data: bytes, way: int) -> bytes:
    """Send, then half-close, leave, or reset; return what came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data[: len(data) // 2])
        if way & 4:
            await asyncio.sleep(0)
        writer.write(data[len(data) // 2 :])
        if way & 3 == 0:
            writer.transport.abort()
            return b""
        if way & 3 == 1 or not data:
            writer.write_eof()
        else:
            writer.write(b"\r\n\r\n")  # no request is left open by this, but for a body
            await asyncio.sleep(0)
            writer.write_eof()
        return await reader.read()
    except OSError:
        return b""
    finally:
        writer.close()


async def test_ten_thousand_bad_requests(servers, app, caplog):
    """Each connection is answered or closed, nothing hangs, nothing is left, and the server serves on."""
    server = await servers(max_header_bytes=16_384, max_body_bytes=100_000)
    rng = random.Random(SEED)
    answers = []

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
    assert (await one(server.port, b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1)).startswith(
        b"HTTP/1.1 "
    )
