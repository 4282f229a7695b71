"""The output items of a response, and the events that tell how they come about.

A thought and a message follow one another: the next item closes the one before. Calls stay open until the end, as
their arguments may come in turns. Places are numbered without a gap, in the order of their opening, and the complete
response has its items in that order: clients find them by it. What was said is kept once, as JSON.
Source: OpenAI's API reference, "Streaming events".
"""

import msgspec

from tidegate.providers.translate.responses_parts import REFUSAL, TEXT, THOUGHT, Call, Kind, Part, Spoken
from tidegate.providers.translate.words_chat import ToolCallDelta

_encode = msgspec.json.Encoder().encode
_PER_ITEM = 512  # bytes that an item costs beside its text


class Script:
    """Events, numbered from 0."""

    __slots__ = ("_number", "_said")

    def __init__(self) -> None:
        self._number = 0
        self._said: list[bytes] = []

    def say(self, kind: bytes, fields: bytes) -> None:
        """One event more; `fields` are JSON's without the braces."""
        number = self._number
        self._number = number + 1
        self._said.append(b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n' % (kind, kind, number, fields))

    def take(self) -> bytes:
        """What was said since the last time."""
        said, self._said = self._said, []
        return b"".join(said)


class Output:
    """Pieces in; events go to the script, items stay for the complete response. `size` is what is kept, in bytes."""

    __slots__ = ("_answered", "_base", "_calls", "_items", "_latest", "_part", "_script", "_spoken", "size")

    def __init__(self, base: str, script: Script) -> None:
        """`base` is the part of the response's id that its items' ids have in common."""
        self._base = base.encode()
        self._script = script
        self._items: list[bytes] = []
        self._spoken: Spoken | None = None
        self._part: Part | None = None
        self._calls: list[Call] = []
        self._latest: dict[int, Call] = {}  # at each of the provider's indices
        self._answered = False  # by more than thoughts
        self.size = 0

    def text(self, piece: str) -> None:
        self._add(TEXT, piece)

    def refusal(self, piece: str) -> None:
        self._add(REFUSAL, piece)

    def thought(self, piece: str) -> None:
        self._add(THOUGHT, piece)

    def call(self, delta: ToolCallDelta, position: int) -> None:
        """A piece of a call."""
        index = position if delta.index is None else delta.index
        call = self._latest.get(index)
        if call is None or _is_new(delta, call):
            call = self._latest[index] = Call(delta.id or "")
            self._calls.append(call)
            self._answered = True
            self.size += _PER_ITEM
        if delta.id and call.place < 0:
            call.call_id = delta.id
        function = delta.function
        if function is None:
            return
        if function.name and call.place < 0:
            call.name = function.name
            self._open_call(call)
        if function.arguments:
            self._argue(call, _encode(function.arguments))

    def close(self, *, cut: bool) -> list[msgspec.Raw]:
        """Everything is said: the items, the last of them incomplete if the answer was `cut`."""
        if not (cut or self._answered):
            self._open(TEXT)  # an answer of nothing is an empty message
        for call in self._calls:
            if call.place < 0:
                self._open_call(call)
        last = len(self._items) - 1
        self._close_spoken(b"incomplete" if cut else b"completed")  # it is the last, where it is still open
        for call in self._calls:
            self._close_call(call, b"incomplete" if cut and call.place == last else b"completed")
        return [msgspec.Raw(item) for item in self._items]

    def _add(self, kind: Kind, piece: str) -> None:
        part = self._part
        if part is None or part.kind is not kind:
            part = self._open(kind)
        told = _encode(piece)
        part.text += told[1:-1]
        self.size += len(told)
        self._script.say(part.event, b'%b,"delta":%b%b' % (part.where, told, part.beside))

    def _place(self) -> int:
        self._items.append(b"")
        self.size += _PER_ITEM
        return len(self._items) - 1

    def _open(self, kind: Kind) -> Part:
        spoken = self._spoken
        if spoken is None or spoken.kind != kind.item:
            spoken = self._open_spoken(kind.item)
        else:
            self._close_part()
        where = b'"item_id":"%b","output_index":%d,"content_index":%d' % (spoken.id, spoken.place, len(spoken.parts))
        part = self._part = Part(kind, where)
        self._script.say(b"response.content_part.added", b'%b,"part":%b' % (where, part.json()))
        return part

    def _open_spoken(self, kind: bytes) -> Spoken:
        if self._spoken is not None:
            self._close_spoken(b"completed")
        self._answered = self._answered or kind == b"message"
        place = self._place()
        prefix = b"msg" if kind == b"message" else b"rs"
        spoken = self._spoken = Spoken(kind, b"%b_%b_%d" % (prefix, self._base, place), place)
        self._item(b"added", place, spoken.json(b"in_progress"))
        return spoken

    def _item(self, what: bytes, place: int, item: bytes) -> None:
        self._script.say(b"response.output_item." + what, b'"output_index":%d,"item":%b' % (place, item))

    def _close_part(self) -> None:
        part, spoken = self._part, self._spoken
        if part is None or spoken is None:
            return
        kind, whole = part.kind, part.json()
        told = b'%b,"%b":"%b"%b' % (part.where, kind.field, bytes(part.text), kind.beside_delta)
        self._script.say(b"response.%b.done" % kind.name, told)
        self._script.say(b"response.content_part.done", b'%b,"part":%b' % (part.where, whole))
        spoken.parts.append(whole)
        self._part = None

    def _close_spoken(self, status: bytes) -> None:
        spoken = self._spoken
        if spoken is None:
            return
        self._close_part()
        item = self._items[spoken.place] = spoken.json(status)
        self._item(b"done", spoken.place, item)
        self._spoken = None

    def _open_call(self, call: Call) -> None:
        self._close_spoken(b"completed")
        call.place = self._place()
        call.id = b"fc_%b_%d" % (self._base, call.place)
        call.call_id = call.call_id or f"call_{self._base.decode()}_{call.place}"
        call.where = b'"item_id":"%b","output_index":%d' % (call.id, call.place)
        self._item(b"added", call.place, call.json(b"in_progress", b""))
        if call.text:
            told = b'%b,"delta":"%b"' % (call.where, bytes(call.text))
            self._script.say(b"response.function_call_arguments.delta", told)

    def _argue(self, call: Call, told: bytes) -> None:
        call.text += told[1:-1]
        self.size += len(told)
        if call.place >= 0:
            self._script.say(b"response.function_call_arguments.delta", b'%b,"delta":%b' % (call.where, told))

    def _close_call(self, call: Call, status: bytes) -> None:
        text = bytes(call.text)
        told = b'%b,"name":%b,"arguments":"%b"' % (call.where, _encode(call.name), text)
        self._script.say(b"response.function_call_arguments.done", told)
        item = self._items[call.place] = call.json(status, text)
        self._item(b"done", call.place, item)


def _is_new(delta: ToolCallDelta, call: Call) -> bool:
    """A new id and a name at a known index are a new call: some providers do not count them."""
    named = delta.function is not None and bool(delta.function.name)
    return named and bool(delta.id and call.call_id) and delta.id != call.call_id
