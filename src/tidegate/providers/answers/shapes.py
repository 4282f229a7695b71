"""A whole answer as the events of a stream, and a finished stream as a whole answer, in its maker's own words.

Every field is kept, those that we do not know too. What a stream cannot carry is little: of chat completions and
completions the usage unless it is asked for, and which of their absent fields were absent rather than null.
"""

from typing import Final

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.answers import chat, chunks, completion, messages, responses
from tidegate.providers.answers.fields import Fields, encode, read

_WHOLE: Final = {
    Kind.CHAT: chat.whole_of,
    Kind.COMPLETION: completion.whole_of,
    Kind.MESSAGES: messages.whole_of,
    Kind.RESPONSES: responses.whole_of,
}
_CHUNKS: Final = {Kind.CHAT: chat.to_chunks, Kind.COMPLETION: completion.to_chunks}
_EVENTS: Final = {Kind.MESSAGES: messages.to_events, Kind.RESPONSES: responses.to_events}


def to_events(kind: Kind, body: bytes, *, usage: bool = True) -> tuple[bytes, ...]:
    """A whole answer as the events of a stream, with what ends it; `usage`: its client asked for the usage chunk.

    At most a few thousand events a text. Raises `ValueError` where it cannot be said. O(bytes).
    """
    try:
        whole = read(body)
        if kind in _CHUNKS:
            return _CHUNKS[kind](whole, usage=usage)
        if kind in _EVENTS:
            return _EVENTS[kind](whole)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    raise ValueError(f"an answer of the kind {kind.name} has no stream")


def to_whole(kind: Kind, events: bytes) -> bytes:
    """A finished stream as a whole answer. Raises `ValueError` where it cannot be said. O(bytes)."""
    try:
        return encode(gathered(kind, events))
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None


def with_usage(kind: Kind, events: bytes, usage: Usage | None) -> bytes:
    """A finished stream for a client that asked for the usage chunk, or (None) did not, whoever it was made for.

    Streams of other kinds always tell, and stay as they are. Raises `ValueError` where it is not finished.
    """
    return chunks.with_usage(events, usage) if kind in _CHUNKS else events


def gathered(kind: Kind, events: bytes) -> Fields:
    """The same before it is written. Raises `fields.Cut` when the stream has no end, and `ValueError`."""
    if kind not in _WHOLE:
        raise ValueError(f"an answer of the kind {kind.name} has no stream")
    return _WHOLE[kind](events)
