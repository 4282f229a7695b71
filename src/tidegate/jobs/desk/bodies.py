"""Bodies of requests: read whole and bounded, or not at all; and how it is heard that a client has left."""

from typing import Final

from starlette.requests import Request
from starlette.types import Receive

from tidegate.jobs.desk.errors import Fault, Refused

_GONE: Final = "http.disconnect"


async def read(request: Request, most: int) -> bytes:
    """The whole body of at most so many bytes. Raises `Refused`, and `ClientDisconnect` where its client left."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length) > most:
        raise _too_large(most)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise _too_large(most)
        pieces.append(piece)
    return b"".join(pieces)


async def until_gone(receive: Receive) -> None:
    """Return when the client has left; for a request whose body has been read."""
    while (await receive())["type"] != _GONE:
        pass


def _too_large(most: int) -> Refused:
    return Refused(Fault.TOO_LARGE, f"The body has more than {most} bytes (server.max_body_bytes). Send less at once.")
