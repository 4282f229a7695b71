"""Anthropic's messages: a whole answer as the events of a stream, and a finished stream as a whole answer.

The message opens without content, blocks follow one another, the last events say why it ended and what was used.
Source: the API reference, "Streaming messages", version 2023-06-01.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.providers.answers.fields import (
    Cut,
    Fields,
    Unsaid,
    encode,
    number_of,
    object_of,
    objects_of,
    read,
    read_all,
    text_of,
)  # fmt: skip
from tidegate.providers.answers.pieces import pieces
from tidegate.providers.translate.events import named, payloads

_PING: Final = named(b"ping", b'{"type":"ping"}')
_STOP: Final = named(b"message_stop", b'{"type":"message_stop"}')
# What is known when the message ends: fields of `message_delta.delta`, and of the event itself.
_ENDS: Final = ("stop_reason", "stop_sequence", "stop_details", "container")
_BESIDE: Final = ("context_management",)
# Counts that only the end states, and those that only the opening does.
_USED_LATE: Final = frozenset({"output_tokens", "output_tokens_details", "server_tool_use", "iterations"})
_USED_EARLY: Final = frozenset({"cache_creation", "service_tier", "inference_geo", "speed"})
# The fields of a block that grow, and the deltas that they grow by.
_TEXTS: Final = {
    "text": (b"text_delta", "text"),
    "thinking": (b"thinking_delta", "thinking"),
}
_AGAIN: Final = ("message_start", "message_delta", "tidegate_restart", "error")  # where they stand in no other place
_SILENT: Final = ("ping", "content_block_stop", "message_stop")
_TOLD: Final = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def to_events(whole: Fields) -> tuple[bytes, ...]:
    """The events. Raises `ValueError` when it is no message."""
    if whole.get("type") != "message" or not isinstance(whole.get("content"), list):
        raise ValueError("no message with a content")
    usage = object_of(whole.get("usage"), "usage")
    opening = whole | {"content": [], "usage": _used_first(usage)}
    opening |= dict.fromkeys([name for name in (*_ENDS, *_BESIDE) if name in whole])
    events = [named(b"message_start", b'{"type":"message_start","message":%b}' % encode(opening))]
    for index, block in enumerate(objects_of(whole["content"], "content")):
        events += _block(index, block)
        if not index:
            events.insert(2, _PING)
    end: Fields = {"type": "message_delta", "delta": {name: whole[name] for name in _ENDS if name in whole}}
    end["usage"] = {name: value for name, value in usage.items() if name not in _USED_EARLY}
    end |= {name: whole[name] for name in _BESIDE if name in whole}
    return (*events, named(b"message_delta", encode(end)), _STOP)


def _used_first(usage: Fields) -> Fields:
    """What is known of the usage when the answer begins: one token of it."""
    known = {name: value for name, value in usage.items() if name not in _USED_LATE}
    return known | {"output_tokens": min(1, number_of(usage.get("output_tokens"), 1))}


def _block(index: int, block: Fields) -> list[bytes]:
    """The events of one block. What is neither a text, a thought nor a call is told as it opens."""
    kind, deltas = text_of(block.get("type")), list[bytes]()
    begun = dict(block)
    if kind in _TEXTS:
        delta, field = _TEXTS[kind]
        begun[field] = ""
        deltas = [_piece(delta, field, piece) for piece in pieces(text_of(block.get(field)))]
    citations = block.get("citations")
    if kind == "text" and citations:
        begun["citations"] = []
        told = objects_of(citations, "citations")
        deltas += [encode({"type": "citations_delta", "citation": citation}) for citation in told]
    if kind == "thinking" and "signature" in block:
        begun["signature"] = ""
        deltas.append(_piece(b"signature_delta", "signature", text_of(block["signature"])))
    if isinstance(block.get("input"), dict):
        begun["input"] = {}
        arguments = encode(block["input"]).decode() if block["input"] else ""
        deltas = [_piece(b"input_json_delta", "partial_json", piece) for piece in ("", *pieces(arguments))]
    return [
        named(b"content_block_start", _numbered(b"content_block_start", index, b"content_block", encode(begun))),
        *[named(b"content_block_delta", _numbered(b"content_block_delta", index, b"delta", delta)) for delta in deltas],
        named(b"content_block_stop", b'{"type":"content_block_stop","index":%d}' % index),
    ]


def _numbered(kind: bytes, index: int, field: bytes, value: bytes) -> bytes:
    return b'{"type":"%b","index":%d,"%b":%b}' % (kind, index, field, value)


def _piece(kind: bytes, field: str, text: str) -> bytes:
    return b'{"type":"%b","%b":%b}' % (kind, field.encode(), encode(text))


class _Open:
    """A block that grows: `texts` by the field that they are of, `input` as JSON."""

    __slots__ = ("block", "citations", "input", "texts")

    def __init__(self, block: Fields) -> None:
        self.block = block
        self.texts = {field: [text_of(block[field])] for field in _TOLD.values() if field in block}
        self.citations: list[object] = []
        self.input: list[str] = []

    def add(self, delta: Fields) -> bool:
        """False where it is not known what it adds."""
        kind = text_of(delta.get("type"))
        field = _TOLD.get(kind)
        if field is not None:
            self.texts.setdefault(field, []).append(text_of(delta.get(field)))
        elif kind == "input_json_delta":
            self.input.append(text_of(delta.get("partial_json")))
        elif kind == "citations_delta":
            self.citations.append(delta.get("citation"))
        elif kind == "compaction_delta":
            self.block |= {name: value for name, value in delta.items() if name != "type"}
        else:
            return False
        return True

    def whole(self) -> Fields:
        for field, parts in self.texts.items():
            self.block[field] = "".join(parts)
        if self.citations:
            self.block["citations"] = [*objects_of(self.block.get("citations"), "citations"), *self.citations]
        return self.block

    def argued(self) -> bool:
        """The input of a call is put together; False where it was cut short."""
        arguments = "".join(self.input)
        try:
            self.block |= {"input": read(arguments.encode())} if arguments else {}
        except ValueError:
            return False
        return True


def whole_of(events: bytes) -> Fields:
    """The message. Raises `Cut` when the stream is not finished, else `ValueError` when it is none.

    New kinds of events and deltas may come at any time, the maker says: `Unsaid` is what is raised then.
    """
    told = payloads(events)
    last = read(told[-1]).get("type") if told else None
    if last == "error":
        raise ValueError("the stream tells of an error")
    if last != "message_stop":
        raise Cut("the stream has no message_stop")
    return _gathered(told)


def _gathered(told: Sequence[bytes]) -> Fields:
    message: Fields | None = None
    blocks: dict[int, _Open] = {}
    unknown = ""
    for event in read_all(told):
        kind = event.get("type")
        if kind == "content_block_delta":
            block, delta = blocks.get(number_of(event.get("index"), 0)), event.get("delta")
            if block is None or not isinstance(delta, dict):
                raise ValueError("a delta comes before its block, or says nothing")
            if not block.add(delta):
                unknown = text_of(delta.get("type")) or "no kind"
        elif kind == "content_block_start":
            blocks[number_of(event.get("index"), 0)] = _Open(object_of(event.get("content_block"), "content_block"))
        elif kind == "message_start" and message is None:
            message = object_of(event.get("message"), "message")
        elif kind == "message_delta" and message is not None:
            _end(message, event)
        elif kind in _AGAIN:
            raise ValueError(f"'{kind}' is out of place, or the answer began anew")
        elif kind not in _SILENT:
            unknown = text_of(kind) or "no kind"
    if message is None:
        raise ValueError("the stream has no message_start")
    if not all(block.argued() for block in blocks.values()):
        unknown = "input_json_delta"
    whole = message | {"content": [blocks[index].whole() for index in sorted(blocks)]}
    if unknown:
        raise Unsaid(f"what '{unknown}' says in the stream is not known, or cut short", whole)
    return whole


def _end(message: Fields, event: Fields) -> None:
    """What an event says of the end: counts are cumulative, so the later ones count; null says nothing new."""
    usage = object_of(message.get("usage") or {}, "usage")
    for name, value in object_of(event.get("usage") or {}, "usage").items():
        if value is not None or name not in usage:
            usage[name] = value
    message |= object_of(event.get("delta") or {}, "delta")
    message |= {name: value for name, value in event.items() if name not in {"type", "delta", "usage"}}
    message["usage"] = usage
