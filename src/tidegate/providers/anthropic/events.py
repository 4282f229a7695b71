"""What is read of one event of Anthropic's streams. Source: the API reference, "Streaming messages"."""

from typing import Final, Literal

import msgspec

from tidegate.providers.anthropic.answer import Counts


class _Message(msgspec.Struct):
    usage: Counts | None = None


class Event(msgspec.Struct):
    """One of any kind."""

    type: str = ""
    message: _Message | None = None
    usage: Counts | None = None


class _Delta(msgspec.Struct, gc=False):
    type: Literal["content_block_delta"]


# A piece of content, which is simply forwarded. Decoding it proves that it is JSON and says what it is.
decode_delta: Final = msgspec.json.Decoder(_Delta).decode
decode: Final = msgspec.json.Decoder(Event).decode
