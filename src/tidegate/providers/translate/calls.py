"""Tool calls of a stream, brought into the order of blocks: one after another, each whole before the next.

Chat completions may interleave the arguments of several calls, messages may not. The first call goes through as it
comes. A new one ends it when its arguments are whole JSON by then; otherwise what is of other calls is held back until
the stream finishes.
"""

from tidegate.providers.translate.reading import arguments_of
from tidegate.providers.translate.records import Piece
from tidegate.providers.translate.tables import MOST_CALLS
from tidegate.providers.translate.words_chat import ToolCallDelta

MOST_HELD = 8_388_608  # characters of arguments; as long as the longest event


class _Call:
    __slots__ = ("held", "id", "name", "size")

    def __init__(self, ident: str | None, name: str) -> None:
        self.id = ident
        self.name = name
        self.held: list[str] = []  # its arguments, until it is closed
        self.size = 0


class Calls:
    """Deltas in, pieces in the order of blocks out."""

    __slots__ = ("_calls", "_interleaved", "_left", "_numbers", "_open", "_size")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._numbers: dict[int, int] = {}  # of the latest call at each index
        self._open = -1  # the call whose block is the latest
        self._left = True  # it is closed
        self._interleaved = False
        self._size = 0  # characters held

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, delta: ToolCallDelta) -> list[Piece]:
        """What can be said now. Raises `ValueError` when too much would have to be held. O(its length)."""
        text = (delta.function.arguments if delta.function is not None else None) or ""
        number = self._number(delta)
        if number < self._open or (number == self._open and self._left):
            return []  # its arguments were whole
        self._hold(self._calls[number], text)
        if number == self._open:
            return [Piece(text)] if text else []
        if self._interleaved or not self.leave():
            self._interleaved = True
            return []
        return self._begin()

    def leave(self) -> bool:
        """Close the open call, to say something else; False when its arguments are not complete yet."""
        if not self._left and self._whole():
            self._close()
        return self._left

    def rest(self) -> list[Piece]:
        """The stream has finished: everything that was held."""
        pieces = []
        while self._open + 1 < len(self._calls):
            pieces += self._begin()
        return pieces

    def _number(self, delta: ToolCallDelta) -> int:
        """Which call it is of: by its index. A new id at a known index is a new call, as some providers count none."""
        index = delta.index if delta.index is not None else 0
        number = self._numbers.get(index)
        if number is not None and (not delta.id or self._calls[number].id in {None, delta.id}):
            return number
        if len(self._calls) == MOST_CALLS:
            raise ValueError(f"the answer has more than {MOST_CALLS} calls")
        name = (delta.function.name if delta.function is not None else None) or ""
        number = self._numbers[index] = len(self._calls)
        self._calls.append(_Call(delta.id or None, name))
        return number

    def _hold(self, call: _Call, text: str) -> None:
        self._size += len(text)
        call.size += len(text)
        if self._size > MOST_HELD:
            raise ValueError("the arguments of the calls are longer than 8 Mi characters")
        if text:
            call.held.append(text)

    def _whole(self) -> bool:
        """Asked once for everything that begins beside it: O(bytes) where calls are not interleaved."""
        text = "".join(self._calls[self._open].held)
        return bool(text.strip()) and arguments_of(text) is not None

    def _close(self) -> None:
        closed = self._calls[self._open]
        self._size -= closed.size
        closed.held = []
        self._left = True

    def _begin(self) -> list[Piece]:
        """The next call, with what is known of it."""
        if not self._left:
            self._close()
        self._open += 1
        self._left = False
        call = self._calls[self._open]
        text = "".join(call.held)
        begun = Piece("", self._open, call.id, call.name)
        return [begun, Piece(text)] if text else [begun]
