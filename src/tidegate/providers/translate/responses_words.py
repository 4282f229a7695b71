"""The words of OpenAI's Responses API that are carried over: requests that are read, responses that are written.

Flat records: an item or a part has the fields of all its types. Source: OpenAI's API reference of responses.
"""

from typing import Annotated

import msgspec

from tidegate.providers.translate import words_chat as chat

# ruff: noqa: D101 - records that bear the names of the fields they are read from

MOST_OUTPUT = 1 << 40  # tokens


class Part(msgspec.Struct):
    """One part of a message's content, or of what a function answered."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: msgspec.Raw = msgspec.Raw()


class Item(msgspec.Struct):
    """One item of the input. What types of items have differently stays raw until the type is known."""

    type: str | None = None
    role: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    arguments: msgspec.Raw = msgspec.Raw()
    output: msgspec.Raw = msgspec.Raw()


class Tool(msgspec.Struct):
    type: str = ""
    name: str | None = None
    description: str | None = None
    parameters: msgspec.Raw = msgspec.Raw()
    strict: bool | None = None
    defer_loading: msgspec.Raw = msgspec.Raw()
    allowed_callers: msgspec.Raw = msgspec.Raw()
    output_schema: msgspec.Raw = msgspec.Raw()


class Named(msgspec.Struct):
    type: str = ""
    name: str | None = None


class ToolChoice(msgspec.Struct):
    """A choice that is more than a word."""

    type: str = ""
    name: str | None = None
    mode: str = "auto"
    tools: list[Named] = []


class Format(msgspec.Struct):
    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema: msgspec.Raw = msgspec.Raw()
    strict: bool | None = None


class Text(msgspec.Struct):
    """The form of the text. `format` stays raw, as the answer repeats it."""

    format: msgspec.Raw = msgspec.Raw()
    verbosity: str | None = None


class Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: msgspec.Raw = msgspec.Raw()
    generate_summary: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    mode: msgspec.Raw = msgspec.Raw()


class StreamOptions(msgspec.Struct):
    include_obfuscation: bool | None = None


class Request(msgspec.Struct):
    """What of a request can be carried over, or is refused by name. What the answer repeats stays raw."""

    input: str | list[Item] = []
    instructions: str | None = None
    tools: msgspec.Raw = msgspec.Raw()
    tool_choice: msgspec.Raw = msgspec.Raw()
    parallel_tool_calls: bool | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=0, le=MOST_OUTPUT)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None
    truncation: str | None = None
    metadata: msgspec.Raw = msgspec.Raw()
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: msgspec.Raw = msgspec.Raw()
    conversation: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()


class ChatRequest(chat.Request, omit_defaults=True):
    """A request for chat completions, with what both of OpenAI's dialects have."""

    verbosity: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None


class Chunk(chat.Chunk):
    """A chunk, with what an answer repeats."""

    service_tier: str | None = None


class InputDetails(msgspec.Struct, gc=False):
    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int


class Usage(msgspec.Struct):
    """Tokens: those of reasoning are part of the output."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A response that is written, whole: what was asked, and what came of it."""

    id: str = ""
    object: str = "response"
    created_at: int
    status: str = "in_progress"
    background: bool = False
    error: None = None
    incomplete_details: dict[str, str] | None = None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: None = None
    model: str
    output: list[msgspec.Raw] = []
    parallel_tool_calls: bool
    previous_response_id: None = None
    prompt_cache_key: str | None
    reasoning: dict[str, str | None]
    safety_identifier: str | None
    service_tier: str | None = None
    store: bool = False
    temperature: float
    text: dict[str, msgspec.Raw | str]
    tool_choice: msgspec.Raw  # this, tools and metadata as the client wrote them
    tools: msgspec.Raw
    top_logprobs: int = 0
    top_p: float
    truncation: str = "disabled"
    usage: Usage | None = None
    user: str | None
    metadata: msgspec.Raw
