"""What the processes of a cluster call out to each other: one Redis Stream, read by a connection of one's own.

Best effort and quick. What is called out is never the truth itself: it stands in a store (the database, the
configuration's record, a provider), and who may have missed something looks there. That is so whenever a reader begins,
or begins again (the server was restarted, failed over, cut off), and when more came at once than the stream may keep.
A stream that was emptied (FLUSHALL) goes on: its ids are moments of the server.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.cluster.failure import Failure
from tidegate.ports import Clock

Word = bytes | str | int
Heard = Callable[[bytes, bytes], None]  # kind and payload

KEPT: Final = 1_000  # words, about
_ONCE: Final = 256  # words in one reply
_BLOCK_MS: Final = 1_000
_PATIENCE_US: Final = 3_000_000  # of one reply, the second that it blocks included
_PAUSES_US: Final = (100_000, 500_000, 1_000_000)
_AGAIN_US: Final = (50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000)  # then others have looked by themselves


class Line(Protocol):
    """A connection of one's own."""

    async def do(self, *words: Word, within_us: int) -> object:
        """One command. Raises `Failure`."""

    def close(self) -> None:
        """For good."""


class Client(Protocol):
    """The connection to the shared state."""

    async def do(self, *words: Word) -> object:
        """One command. Raises `Failure`."""

    async def line(self, key: bytes | None = None) -> Line:
        """To the server of `key`. Raises `Failure`."""


def key_of(prefix: str) -> bytes:
    """The stream's."""
    return f"{prefix}:{{news}}".encode()


class News:
    """One a process. `follow` until it is cancelled. `listening`: what is called out now is heard at once."""

    __slots__ = ("_client", "_clock", "_key", "listening")

    def __init__(self, client: Client, prefix: str, clock: Clock) -> None:
        self._client = client
        self._key = key_of(prefix)
        self._clock = clock
        self.listening = False

    async def tell(self, kind: bytes, payload: bytes = b"") -> bool:
        """Call it out; False where that failed: who it is for finds it a little later. O(bytes)."""
        try:
            await self._client.do(b"XADD", self._key, b"MAXLEN", b"~", KEPT, b"*", kind, payload)
        except Failure:
            return False
        return True

    async def insist(self, kind: bytes) -> bool:
        """As `tell`, and again when that failed: a connection that broke, or a server that is away for a moment."""
        for pause in _AGAIN_US:
            if await self.tell(kind):
                return True
            await self._clock.sleep(pause)
        return await self.tell(kind)

    async def follow(self, heard: Heard, missed: Callable[[], None]) -> None:
        """Hear every word from now on, in order; `missed`: there may have been others. Neither may raise."""
        failures = 0
        while True:
            line: Line | None = None
            try:
                line = await self._client.line(self._key)
                last = _last(await line.do(b"XREVRANGE", self._key, b"+", b"-", b"COUNT", 1, within_us=_PATIENCE_US))
                missed()
                failures, self.listening = 0, True
                while True:
                    last = await self._read(line, last, heard, missed)
            except Failure:
                self.listening = False
                await self._clock.sleep(_PAUSES_US[min(failures, len(_PAUSES_US) - 1)])
                failures += 1
            finally:
                if line is not None:
                    line.close()

    async def _read(self, line: Line, last: bytes, heard: Heard, missed: Callable[[], None]) -> bytes:
        """The words behind `last`; returns the id of the last one."""
        words = (b"XREAD", b"COUNT", _ONCE, b"BLOCK", _BLOCK_MS, b"STREAMS", self._key, last)
        found = _entries(await line.do(*words, within_us=_PATIENCE_US))
        for _, kind, payload in found:
            heard(kind, payload)
        if len(found) >= _ONCE:
            missed()
        return found[-1][0] if found else last


def _last(reply: object) -> bytes:
    """Of the newest word, where there is one."""
    match reply:
        case [[bytes() as name, _], *_]:
            return name
    return b"0-0"


def _entries(reply: object) -> list[tuple[bytes, bytes, bytes]]:
    """Id, kind and payload; a word that is not ours is passed by."""
    match reply:
        case [[_, list() as entries]]:
            return [
                (name, words[0], words[1])
                for name, words in entries
                if isinstance(words, list) and len(words) == 2 and all(isinstance(word, bytes) for word in words)
            ]
    return []
