"""How a batch gets on, as server-sent events: one for each change of its counts, until it has ended."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.responses import StreamingResponse

from tidegate.jobs.batches.records import OPEN, Batch, Tally
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.desk.replies import encode
from tidegate.ports import Clock

_LOOK_US: Final = 1_000_000
_QUIET: Final = 15  # looks without news until a comment shows that somebody is there
_MOST: Final = 1_000

Look = Callable[[], Awaitable[tuple[Batch, Tally]]]
Show = Callable[[Batch, Tally], dict[str, Any]]


class Progress:
    """Who watches batches; at most 1,000."""

    __slots__ = ("_clock", "_over", "_watching")

    def __init__(self, clock: Clock, over: Callable[[], bool]) -> None:
        self._clock = clock
        self._over = over  # the desk ends, and whoever watches is to come again
        self._watching = 0

    def reply(self, look: Look, show: Show) -> StreamingResponse:
        """The stream. Raises `Unavailable` where too many watch."""
        if self._watching >= _MOST:
            raise Unavailable("Too many clients watch batches here. Ask how it stands instead.")
        head = {"cache-control": "no-store"}
        return StreamingResponse(self._events(look, show), media_type="text/event-stream", headers=head)

    async def _events(self, look: Look, show: Show) -> AsyncIterator[bytes]:
        self._watching += 1
        try:
            last, quiet = b"", 0
            while True:
                batch, tally = await look()
                told = encode(show(batch, tally))
                quiet = quiet + 1 if told == last else 0
                if not quiet:
                    yield b"event: batch.%b\ndata: %b\n\n" % (batch.state.encode(), told)
                elif quiet % _QUIET == 0:
                    yield b": waiting\n\n"
                if batch.state not in OPEN or self._over():
                    return
                last = told
                await self._clock.sleep(_LOOK_US)
        finally:
            self._watching -= 1
