"""The clients of the proof of the ledger: who leaves does so before the end."""

import asyncio
import json

from bench.proofs.tenants.callers import Callers, Load

_HEAD = b"HTTP/1.1 200 OK\r\nx-request-id: req_%x\r\n"
_CHUNK = b"a\r\ndata: abc\n\r\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers of as many chunks as tokens were asked for, each connection's numbered from 1."""
    number = 0
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            asked = json.loads(await reader.readexactly(int(head.partition(b"content-length: ")[2])))
            number += 1
            if asked["stream"]:
                end = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
                writer.write(
                    (_HEAD % number) + b"transfer-encoding: chunked\r\n\r\n" + _CHUNK * asked["max_tokens"] + end
                )
            else:
                writer.write((_HEAD % number) + b"content-length: 2\r\n\r\n{}")
            await writer.drain()
    except (EOFError, ConnectionError):
        writer.close()


async def test_who_leaves_does_so_before_the_end() -> None:
    """As many as are said to; all others are read, and keep their connection."""
    async with await asyncio.start_server(_serve, "127.0.0.1", 0) as server:
        load = Load(server.sockets[0].getsockname()[1], "m", 500, clients=1, leaving=0.2, streamed=1.0)
        tally = await Callers(load).run()
    assert tally.begun == 500
    assert 80 <= tally.left <= 120
    assert (tally.refused, tally.broken, len(tally.answered)) == (0, 0, 500 - tally.left)
    assert max(tally.answered) > 1


async def test_answers_without_a_stream() -> None:
    """Read to the length that their head says."""
    async with await asyncio.start_server(_serve, "127.0.0.1", 0) as server:
        load = Load(server.sockets[0].getsockname()[1], "m", 100, clients=1, leaving=0.0, streamed=0.0)
        tally = await Callers(load).run()
    assert (tally.begun, tally.left, len(tally.answered)) == (100, 0, 100)
