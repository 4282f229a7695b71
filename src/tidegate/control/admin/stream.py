"""Server-sent events to one who looks on: signs of life in between, and an end with the sign-in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from tidegate.control.admin.auth.authenticator import Authenticator

STILL_SECONDS: Final = 10.0  # between questions whether who looks on still may
SLOW_SECONDS: Final = 15.0  # so long may one event take to be read
BEAT_SECONDS: Final = 5.0  # without an event, until a sign of life
_BEAT: Final = b":\n\n"
_SIGNED_OUT: Final = b'event: end\ndata: {"reason":"signed_out"}\n\n'
_HEADERS: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]

Still = Callable[[], Awaitable[bool]]
Source = Callable[[], Awaitable[bytes]]  # the next event, written; empty: there will be none


class EventStream(Response):
    """Events to one who looks on, until it leaves, may no more, or does not read what it is sent."""

    def __init__(self, first: bytes, source: Source, still: Still, leave: Callable[[], None]) -> None:
        """`first` is written at once; `still`: whether it may look on; `leave` is called once, at the end."""
        super().__init__()
        self._first = first
        self._source = source
        self._still = still
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One response."""
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave()
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _part(send, self._first)
        loop = asyncio.get_running_loop()
        asked, coming = loop.time(), asyncio.ensure_future(self._source())
        try:
            while True:
                await asyncio.wait({coming}, timeout=BEAT_SECONDS)
                data = coming.result() if coming.done() else _BEAT
                if loop.time() - asked >= STILL_SECONDS:
                    asked = loop.time()
                    if not await self._still():
                        await _part(send, _SIGNED_OUT, more=False)
                        return
                    data = data and _BEAT + data
                try:
                    await asyncio.wait_for(_part(send, data, more=bool(data)), SLOW_SECONDS)
                except TimeoutError:
                    return  # who does not read would not read why
                if not data:
                    return
                if coming.done():
                    coming = asyncio.ensure_future(self._source())
        finally:
            coming.cancel()


def still_signed_in(door: Authenticator, request: Request) -> Still:
    """Whether who was let in may stay."""
    return lambda: door.still(request)


def written(kind: str, number: bytes, data: bytes) -> bytes:
    """One event; `number` is what `Last-Event-ID` says of it later."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (number, kind.encode(), data)


async def _gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _part(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})
