"""What is read of one event of a response's stream. Source: OpenAI's API reference, "Streaming events"."""

from typing import Any, Final, Literal

import msgspec

from tidegate.providers.responses.answer import Counts


class _Response(msgspec.Struct):
    usage: Counts | None = None
    service_tier: Any = None


class Event(msgspec.Struct):
    """One of any kind."""

    type: str = ""
    delta: msgspec.Raw = msgspec.Raw()
    response: _Response | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Delta(msgspec.Struct, gc=False):
    type: Literal[
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
    ]


# A piece of content, which is simply forwarded. Decoding it proves that it is JSON and says what it is.
decode_delta: Final = msgspec.json.Decoder(_Delta).decode
decode: Final = msgspec.json.Decoder(Event).decode
