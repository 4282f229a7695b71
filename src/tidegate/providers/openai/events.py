"""What is read of one event of OpenAI's streams. Source: OpenAI's streaming reference."""

from typing import Any, Final

import msgspec


class Choice(msgspec.Struct):
    """A piece of one answer."""

    # Raw, not `Raw | None`: that would accept nothing but null.
    delta: dict[str, msgspec.Raw] | None = None
    text: msgspec.Raw = msgspec.Raw()
    finish_reason: msgspec.Raw = msgspec.Raw()


class Chunk(msgspec.Struct):
    """An event; the usage is read apart."""

    choices: list[Choice] = []
    error: msgspec.Raw = msgspec.Raw()
    service_tier: Any = None


class _Ordinary(msgspec.Struct, gc=False):
    error: None = None
    usage: None = None


# An event that is simply forwarded. Decoding it proves that it is JSON, without a usage and without an error.
decode_ordinary: Final = msgspec.json.Decoder(_Ordinary).decode
decode_ordinaries: Final = msgspec.json.Decoder(list[_Ordinary]).decode
decode: Final = msgspec.json.Decoder(Chunk).decode
