"""A stream of Anthropic's messages as one of chat completions, event by event.

Nothing is kept but the usage and which tool each block is of. What repeats in every chunk is encoded once. A thought is
told twice, as `reasoning_content` and as a part of `thinking_blocks`, whose entries are put together by their index: so
a client that gives the message back gives the sealed thought back.
"""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.chat_answer import completion_id, finish_of, thought_of
from tidegate.providers.translate.events import payloads
from tidegate.providers.translate.tables import MOST_CALLS
from tidegate.providers.translate.usage import merged, to_chat
from tidegate.providers.translate.words_chat import ThinkingBlock
from tidegate.providers.translate.words_messages import Block, Delta, Event, Started, Usage

_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode
_TEXT = -1  # the number of a call that is the answer's text


class ChatStream:
    """Feed it whole events of messages; whole chunks come back."""

    __slots__ = (
        "_calls", "_created", "_ended", "_head", "_json_tool", "_silent", "_thoughts", "_tools", "_usage",
        "_wants_usage",
    )  # fmt: skip

    def __init__(self, created: int, *, json_tool: str, wants_usage: bool) -> None:
        """`json_tool`: calls of it are the answer's text."""
        self._created = created
        self._json_tool = json_tool
        self._wants_usage = wants_usage
        self._head = b""
        self._tools: dict[int, int] = {}  # the open blocks that are tools' by their index: the number of the call
        self._silent: set[int] = set()  # those of which nothing has been said yet
        self._calls = 0
        self._thoughts = 0
        self._usage = Usage()
        self._ended = False

    def feed(self, events: bytes) -> bytes:
        """Whole events in, whole chunks out. Raises `ValueError` for what is no event. O(bytes)."""
        return b"".join([self._event(data) for data in payloads(events)])

    def _event(self, data: bytes) -> bytes:
        if self._ended:
            return b""
        try:
            event = _decode(data)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        kind = event.type
        if kind == "content_block_delta":
            return self._delta(event.index, event.delta) if event.delta is not None else b""
        if kind == "content_block_start" and event.content_block is not None:
            return self._start(event.index, event.content_block)
        if kind == "content_block_stop":
            return self._stop(event.index)
        if kind == "message_start" and event.message is not None:
            return self._open(event.message)
        if kind == "message_delta":
            return self._finish(event)
        return self._end() if kind == "message_stop" else b""

    def _open(self, message: Started) -> bytes:
        self._usage = merged(self._usage, message.usage)
        head = {"id": completion_id(message.id), "object": "chat.completion.chunk", "created": self._created}
        self._head = b"data: %b," % _encode(head | {"model": message.model})[:-1]
        return self._chunk(b'"role":"assistant","content":""')

    def _chunk(self, delta: bytes, finish: bytes = b"null") -> bytes:
        if not self._head:
            raise ValueError("the stream does not begin with message_start")
        usage = b',"usage":null' if self._wants_usage else b""
        return b'%b"choices":[{"index":0,"delta":{%b},"logprobs":null,"finish_reason":%b}]%b}\n\n' % (
            self._head,
            delta,
            finish,
            usage,
        )

    def _call(self, number: int, arguments: bytes) -> bytes:
        return self._chunk(b'"tool_calls":[{"index":%d,"function":{"arguments":%b}}]' % (number, arguments))

    def _start(self, index: int, block: Block) -> bytes:
        if block.type == "tool_use":
            return self._tool(index, block)
        if block.type == "text":
            return self._chunk(b'"content":' + _encode(block.text)) if block.text else b""
        thought = thought_of(block)
        if thought is None:
            return b""
        self._thoughts += 1
        return self._thought(thought) if thought.thinking or thought.signature or thought.data else b""

    def _thought(self, block: ThinkingBlock) -> bytes:
        """More of the latest thought, or its seal."""
        said = b'"reasoning_content":%b,' % _encode(block.thinking) if block.thinking else b""
        number = max(self._thoughts - 1, 0)
        return self._chunk(b'%b"thinking_blocks":[{"index":%d,%b]' % (said, number, _encode(block)[1:]))

    def _tool(self, index: int, block: Block) -> bytes:
        """A call begins. Some providers give its whole input at once."""
        if len(self._tools) == MOST_CALLS:
            raise ValueError(f"the answer has more than {MOST_CALLS} open blocks")
        known = _encode(bytes(block.input).decode()) if has(block.input) and bytes(block.input) != b"{}" else b""
        if self._json_tool and block.name == self._json_tool:
            self._tools[index] = _TEXT
            begun = b""
        else:
            number = self._tools[index] = self._calls
            self._calls += 1
            named = _encode({"name": block.name or "", "arguments": ""})
            begun = self._chunk(
                b'"tool_calls":[{"index":%d,"id":%b,"type":"function","function":%b}]'
                % (number, _encode(block.id or ""), named)
            )
        if not known:
            self._silent.add(index)
            return begun
        return begun + self._input(index, known)

    def _input(self, index: int, arguments: bytes) -> bytes:
        number = self._tools.get(index)
        if number is None:
            raise ValueError(f"the input of block {index} came before its start")
        return self._chunk(b'"content":' + arguments) if number == _TEXT else self._call(number, arguments)

    def _delta(self, index: int, delta: Delta) -> bytes:
        kind = delta.type
        if kind == "text_delta":
            return self._chunk(b'"content":' + _encode(delta.text)) if delta.text else b""
        if kind == "input_json_delta":
            if not delta.partial_json:
                return b""
            self._silent.discard(index)
            return self._input(index, _encode(delta.partial_json))
        if kind == "thinking_delta":
            return self._thought(ThinkingBlock("thinking", thinking=delta.thinking)) if delta.thinking else b""
        if kind == "signature_delta":
            return self._thought(ThinkingBlock("thinking", signature=delta.signature))
        return b""

    def _stop(self, index: int) -> bytes:
        """A tool without arguments says nothing there, and an empty object here."""
        said = b""
        if index in self._silent:
            self._silent.discard(index)
            said = self._input(index, b'"{}"')
        self._tools.pop(index, None)
        return said

    def _finish(self, event: Event) -> bytes:
        self._usage = merged(self._usage, event.usage)
        if event.delta is None or event.delta.stop_reason is None:
            return b""
        return self._chunk(b"", _encode(finish_of(event.delta.stop_reason, self._calls > 0)))

    def _end(self) -> bytes:
        if not self._head:
            raise ValueError("the stream does not begin with message_start")
        self._ended = True
        if not self._wants_usage:
            return b"data: [DONE]\n\n"
        return b'%b"choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % (self._head, _encode(to_chat(self._usage)))
