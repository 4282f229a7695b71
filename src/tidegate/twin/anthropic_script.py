"""An answer in Anthropic's JSON: whole, or as the events of a stream. Pure bytes; no I/O, no clock.

A stream is `message_start`, for each block `content_block_start`, deltas, `content_block_stop`, and at the end
`message_delta` with the reason and the cumulative usage, `message_stop`. A `ping` follows the first block's start.
Source: docs.anthropic.com/en/docs/build-with-claude/streaming (November 2026).
"""

from typing import Final

import msgspec

from tidegate.twin.answers import TEXT, THINKING, TOOL, Answer, Block
from tidegate.twin.calls import Call
from tidegate.twin.dialect import Forms
from tidegate.twin.faults import Rule

REASONS: Final = {"stop": b"end_turn", "length": b"max_tokens", "tool_calls": b"tool_use"}
_quoted = msgspec.json.encode
_SIGNATURE: Final = b"EqQBCkYIBxgCKkB0d2luLXNpZ25hdHVyZQ"


def error_body(kind: str, message: str, request_id: str = "", code: str | None = None) -> bytes:
    """The JSON body that every error of this dialect has; `code` is told as a detail."""
    error = {"type": kind, "message": message} | ({"details": {"error_code": code}} if code else {})
    return _quoted({"type": "error", "error": error} | ({"request_id": request_id} if request_id else {}))


def _failure(rule: Rule) -> bytes:
    """As Anthropic tells of it: an event of its own kind, `overloaded_error` unless the rule says otherwise."""
    body = error_body(rule.type or "overloaded_error", rule.message or "Overloaded", code=rule.code)
    return b"event: error\ndata: %b\n\n" % body


MESSAGE_FORMS: Final = Forms(
    broken=b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n',
    content=(b'"type":"text_delta"',),
    arguments=(b'"partial_json":"{', b'"partial_json":"\\"'),
    finish=(b"event: message_delta",),
    end=(b"event: message_stop",),
    failure=_failure,
)


class MessageScript:
    """One answer, ready to be spoken."""

    __slots__ = ("_call", "_model", "_name", "answer")

    forms: Forms = MESSAGE_FORMS

    def __init__(self, call: Call, answer: Answer) -> None:
        self.answer = answer
        self._call = call
        self._name = call.request_id[4:].encode()
        self._model = _quoted(call.model)

    def unary(self) -> bytes:
        """The whole reply."""
        blocks = [self._block(index, block) for index, block in enumerate(self.answer.blocks) if block.units]
        return self._message(b",".join(blocks), self._reason(), self._usage(self.answer.units))

    def opening(self) -> bytes:
        """The message, its first block, and a ping."""
        start = self._message(
            b"", b'"stop_reason":null,"stop_sequence":null', self._usage(1 if self.answer.units else 0)
        )
        first = self._start(0) if self.answer.units else b""
        return b"%b%b%b" % (
            _event(b"message_start", b'"message":%b' % start),
            first,
            _event(b"ping", b""),
        )

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """The events of units first+1 … last."""
        return b"".join([self._piece(*span) for span in self.answer.spans(first, last, chunk_tokens)])

    def closing(self) -> bytes:
        """Why it ended, what was used, and the end."""
        shape = b'"delta":{%b},"usage":%b'
        end = _event(b"message_delta", shape % (self._reason(), self._usage(self.answer.units)))
        return end + _event(b"message_stop", b"")

    def _message(self, content: bytes, reason: bytes, usage: bytes) -> bytes:
        shape = b'{"id":"msg_%b","type":"message","role":"assistant","model":%b,"content":[%b],%b,"usage":%b}'
        return shape % (self._name, self._model, content, reason, usage)

    def _reason(self) -> bytes:
        answer = self.answer
        if answer.stopped_by:
            return b'"stop_reason":"stop_sequence","stop_sequence":%b' % _quoted(answer.stopped_by)
        return b'"stop_reason":"%b","stop_sequence":null' % REASONS[answer.finish]

    def _usage(self, produced: int) -> bytes:
        call = self._call
        fresh = call.prompt_tokens - call.cached_tokens - call.cache_written_tokens
        written, read = call.cache_written_tokens, call.cached_tokens
        thought = (
            b',"output_tokens_details":{"thinking_tokens":%d}' % spent if (spent := self.answer.thought()) else b""
        )
        return (
            b'{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation":'
            b'{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":0},"output_tokens":%d%b,'
            b'"service_tier":"standard"}'
        ) % (fresh, written, read, written, produced, thought)

    def _block(self, index: int, block: Block) -> bytes:
        """A block of a whole reply."""
        if block.kind == TOOL:
            return self._called(index, block, block.value())
        if block.kind == THINKING:
            return b'{"type":"thinking","thinking":"%b","signature":"%b"}' % (block.whole(), self._signature(block))
        return b'{"type":"text","text":"%b"}' % block.whole()

    def _called(self, index: int, block: Block, arguments: bytes) -> bytes:
        shape = b'{"type":"tool_use","id":"toolu_%b%02d","name":%b,"input":%b}'
        return shape % (self._name, index, _quoted(block.name), arguments)

    def _signature(self, block: Block) -> bytes:
        return b"%b%b%04d" % (_SIGNATURE, self._name, block.units)

    def _start(self, index: int) -> bytes:
        block = self.answer.blocks[index]
        if block.kind == TOOL:
            told = self._called(index, block, b"{}")
        elif block.kind == THINKING:
            told = b'{"type":"thinking","thinking":"","signature":""}'
        else:
            told = b'{"type":"text","text":""}'
        start = _event(b"content_block_start", b'"index":%d,"content_block":%b' % (index, told))
        return start + _delta(index, b"input_json_delta", b"partial_json", b"") if block.kind == TOOL else start

    def _piece(self, index: int, first: int, last: int) -> bytes:
        block = self.answer.blocks[index]
        start = self._start(index) if not first and index else b""
        text = block.piece(first, last)
        if block.kind == TEXT:
            delta = _delta(index, b"text_delta", b"text", text)
        elif block.kind == THINKING:
            delta = _delta(index, b"thinking_delta", b"thinking", text)
        else:
            delta = _delta(index, b"input_json_delta", b"partial_json", text)
        return b"%b%b%b" % (start, delta, self._stop(index, block) if last == block.units else b"")

    def _stop(self, index: int, block: Block) -> bytes:
        signed = b""
        if block.kind == THINKING:
            signed = _delta(index, b"signature_delta", b"signature", self._signature(block))
        return signed + _event(b"content_block_stop", b'"index":%d' % index)


def _event(kind: bytes, fields: bytes) -> bytes:
    return b'event: %b\ndata: {"type":"%b"%b%b}\n\n' % (kind, kind, b"," if fields else b"", fields)


def _delta(index: int, kind: bytes, field: bytes, text: bytes) -> bytes:
    shape = b'"index":%d,"delta":{"type":"%b","%b":"%b"}'
    return _event(b"content_block_delta", shape % (index, kind, field, text))
