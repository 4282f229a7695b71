"""A stream of chat completions as one of Anthropic's messages, event by event.

Blocks follow each other: a text, a thought and every call have their own, closed before the next begins. The end is
said at `[DONE]`, when the usage is known; a stream that is cut before has none.
"""

import msgspec

from tidegate.providers.translate.calls import MOST_HELD, Calls
from tidegate.providers.translate.events import named, payloads
from tidegate.providers.translate.messages_answer import call_id, message_id, met, stop_of
from tidegate.providers.translate.records import Piece
from tidegate.providers.translate.usage import to_messages
from tidegate.providers.translate.words_chat import Chunk, Delta, StatedUsage, ThinkingBlock
from tidegate.providers.translate.words_messages import Answer, Block

_decode = msgspec.json.Decoder(Chunk).decode
_encode = msgspec.json.Encoder().encode

_CALL = b"call"
_TEXT = b'{"type":"text","text":""}'
_THINKING = b'{"type":"thinking","thinking":"","signature":""}'
_EMPTY_INPUT = msgspec.Raw(b"{}")


class MessagesStream:
    """Feed it whole chunks of chat completions; whole events come back."""

    __slots__ = (
        "_block", "_calls", "_ended", "_finish", "_found", "_id", "_kind", "_late", "_late_size", "_refused", "_stops",
        "_thoughts", "_usage",
    )  # fmt: skip

    def __init__(self, *, thoughts: bool, stops: tuple[str, ...]) -> None:
        """`thoughts`: they are wanted. `stops`: the stop sequences that were asked for."""
        self._thoughts = thoughts
        self._stops = stops
        self._id = ""
        self._block = -1  # the number of the latest block
        self._kind = b""  # of the open one
        self._calls = Calls()
        self._late: list[tuple[bytes, bytes, bytes]] = []  # what came in the middle of a call
        self._late_size = 0
        self._finish: str | None = None
        self._found: str | None = None
        self._refused = False
        self._usage: StatedUsage | None = None
        self._ended = False

    def feed(self, events: bytes) -> bytes:
        """Whole events in, whole events out. Raises `ValueError` for what is no chunk. O(bytes)."""
        return b"".join([self._event(data) for data in payloads(events)])

    def _event(self, data: bytes) -> bytes:
        if self._ended:
            return b""
        if data == b"[DONE]":
            return self._end()
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        if chunk.usage is not None:
            self._usage = chunk.usage
        said = b""
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            if not self._id:
                said += self._open(chunk)
            if choice.delta is not None:
                said += self._delta(choice.delta)
            if choice.finish_reason:  # some say "" until the end
                self._finish = choice.finish_reason
                self._found = met(choice.stop_reason, self._stops)
        return said

    def _open(self, chunk: Chunk) -> bytes:
        self._id = message_id(chunk.id)
        begun = Answer("message", [], self._id, model=chunk.model or "", usage=to_messages(chunk.usage))
        return named(b"message_start", b'{"type":"message_start","message":%b}' % _encode(begun))

    def _delta(self, delta: Delta) -> bytes:
        said = b""
        if self._thoughts:
            thought = delta.reasoning_content or delta.reasoning
            if thought:
                said += self._say(b"thinking", _THINKING, b'"thinking_delta","thinking":' + _encode(thought))
            for sealed in delta.thinking_blocks or ():
                said += self._seal(sealed)
        if delta.content:
            said += self._say(b"text", _TEXT, b'"text_delta","text":' + _encode(delta.content))
        if delta.refusal:
            said += b"" if self._refused else self._close()
            self._refused = True
            said += self._say(b"text", _TEXT, b'"text_delta","text":' + _encode(delta.refusal))
        for call in delta.tool_calls or ():
            said += self._pieces(self._calls.add(call))
        return said

    def _say(self, kind: bytes, block: bytes, delta: bytes) -> bytes:
        if self._late or (self._kind == _CALL and not self._calls.leave()):
            self._late.append((kind, block, delta))
            self._late_size += len(delta)
            if self._late_size > MOST_HELD:
                raise ValueError("what came in the middle of a call is longer than 8 MiB")
            return b""
        said = b"" if self._kind == kind else self._begin(kind, block)
        return said + self._add(delta)

    def _rest(self) -> bytes:
        """Everything that was held back: calls, and what came among them."""
        said = self._pieces(self._calls.rest())
        for kind, block, delta in self._late:
            said += b"" if self._kind == kind else self._begin(kind, block)
            said += self._add(delta)
        return said

    def _begin(self, kind: bytes, block: bytes) -> bytes:
        said = self._close()
        self._block += 1
        self._kind = kind
        data = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (self._block, block)
        return said + named(b"content_block_start", data)

    def _add(self, delta: bytes) -> bytes:
        data = b'{"type":"content_block_delta","index":%d,"delta":{"type":%b}}' % (self._block, delta)
        return named(b"content_block_delta", data)

    def _close(self) -> bytes:
        if not self._kind:
            return b""
        self._kind = b""
        return named(b"content_block_stop", b'{"type":"content_block_stop","index":%d}' % self._block)

    def _seal(self, sealed: ThinkingBlock) -> bytes:
        """A seal ends its thought; a redacted thought is a block of its own."""
        if sealed.data is not None:
            return self._begin(b"redacted", _encode(Block(type="redacted_thinking", data=sealed.data))) + self._close()
        if not sealed.signature:
            return b""
        said = b"" if self._kind == b"thinking" else self._begin(b"thinking", _THINKING)
        return said + self._add(b'"signature_delta","signature":' + _encode(sealed.signature)) + self._close()

    def _pieces(self, pieces: list[Piece]) -> bytes:
        said = b""
        for piece in pieces:
            if piece.name is not None:
                block = Block(type="tool_use", id=call_id(piece.id, self._id, piece.number), name=piece.name)
                block.input = _EMPTY_INPUT
                said += self._begin(_CALL, _encode(block))
            else:
                said += self._add(b'"input_json_delta","partial_json":' + _encode(piece.text))
        return said

    def _end(self) -> bytes:
        if not self._id:
            raise ValueError("the stream ends before it begins")
        self._ended = True
        said = self._rest() + self._close()
        stop = stop_of(self._finish, called=len(self._calls) > 0, refused=self._refused)
        if self._found is not None and stop == "end_turn":
            stop = "stop_sequence"
        data = b'{"type":"message_delta","delta":{"stop_reason":%b,"stop_sequence":%b},"usage":%b}' % (
            _encode(stop),
            _encode(self._found),
            _encode(to_messages(self._usage)),
        )
        return said + named(b"message_delta", data) + named(b"message_stop", b'{"type":"message_stop"}')
