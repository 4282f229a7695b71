"""An upstream that streams: 50 content chunks and `[DONE]`, 4 ms apart. `python -m bench.sse PORT`."""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

CHUNKS = 50
GAP_SECONDS = 0.004

_EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-2024-08-06",'
    b'"choices":[{"index":0,"delta":{"content":" quarter"},"finish_reason":null}]}\n\n'
)
_DONE = b"data: [DONE]\n\n"
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\n"
    b"x-ratelimit-limit-requests: 1000000000\r\nx-ratelimit-remaining-requests: 999999999\r\n"
    b"x-ratelimit-limit-tokens: 1000000000000\r\nx-ratelimit-remaining-tokens: 999999999000\r\n"
    b"x-ratelimit-reset-requests: 1ms\r\nx-ratelimit-reset-tokens: 1ms\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def framed(data: bytes) -> bytes:
    """One chunk of the chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Stream(asyncio.Protocol):
    """Answers every request of a connection with the same stream."""

    __slots__ = ("_left", "_loop", "_parser", "_transport")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are of no class of asyncio

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(_HEAD)
        self._left = CHUNKS
        self._loop.call_later(GAP_SECONDS, self._next)

    def _next(self) -> None:
        if self._transport.is_closing():
            return
        if self._left:
            self._left -= 1
            self._transport.write(framed(_EVENT))
            self._loop.call_later(GAP_SECONDS, self._next)
        else:
            self._transport.write(framed(_DONE) + b"0\r\n\r\n")


async def serve(port: int) -> None:
    """Runs until it is ended."""
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
