"""A reply that is a stream of server-sent events, begun when there is something to say."""

from typing import Final

from starlette.types import Send

_HEAD: Final = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))
_PIECE: Final = 65_536
BEAT: Final = b": waiting\n\n"

Lines = tuple[tuple[bytes, bytes], ...]


class Events:
    """One reply. `begun`: its status, 200, cannot be taken back."""

    __slots__ = ("_lines", "_send", "begun")

    def __init__(self, send: Send, lines: Lines) -> None:
        """`lines` are header lines beside those of a stream."""
        self._send = send
        self._lines = lines
        self.begun = False

    async def begin(self, lines: Lines = ()) -> None:
        """Once; `lines` replace those that were to be sent. Harmless when it has begun."""
        if not self.begun:
            self.begun = True
            head = [*_HEAD, *(lines or self._lines)]
            await self._send({"type": "http.response.start", "status": 200, "headers": head})

    async def say(self, data: bytes) -> None:
        """Whole events, in pieces that the socket can take."""
        await self.begin()
        for start in range(0, len(data), _PIECE):
            body = data[start : start + _PIECE]
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def beat(self) -> None:
        """A comment, so that nobody in between takes the connection for dead."""
        await self.say(BEAT)

    async def end(self) -> None:
        """No more."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
