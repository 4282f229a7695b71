"""The words of Anthropic's messages that are carried over: requests, answers and stream events.

Flat records, as in `words_chat`. Source: Anthropic's API reference of messages (version 2023-06-01).
"""

import msgspec

from tidegate.providers.translate.absent import ABSENT

# ruff: noqa: D101 - records that bear the names of the fields they are read from


class Source(msgspec.Struct, omit_defaults=True):
    """Where an image or a document comes from."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: msgspec.Raw = ABSENT


class Block(msgspec.Struct, omit_defaults=True):
    """A content block of any type. `content` of a tool's result or of a search's is read by whoever wants it."""

    type: str
    text: str | None = None
    source: Source | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = ABSENT
    tool_use_id: str | None = None
    content: msgspec.Raw = ABSENT
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    title: str | None = None
    cache_control: msgspec.Raw = ABSENT


class Turn(msgspec.Struct):
    """One message of a request."""

    role: str
    content: str | list[Block]


class Tool(msgspec.Struct, omit_defaults=True):
    """A tool; one with a type of its own, not "custom", is run by the provider."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: msgspec.Raw = ABSENT
    strict: bool | None = None
    cache_control: msgspec.Raw = ABSENT


class ToolChoice(msgspec.Struct, omit_defaults=True, gc=False):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct, omit_defaults=True, gc=False):
    type: str
    budget_tokens: int | None = None


class Format(msgspec.Struct, omit_defaults=True, gc=False):
    type: str
    schema: msgspec.Raw = ABSENT


class OutputConfig(msgspec.Struct, omit_defaults=True):
    effort: str | None = None
    format: Format | None = None


class Metadata(msgspec.Struct, omit_defaults=True, gc=False):
    user_id: str | None = None


class Request(msgspec.Struct, omit_defaults=True):
    """What of a request can be carried over."""

    model: str
    max_tokens: int
    messages: list[Turn]
    system: str | list[Block] | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None
    stream: bool | None = None
    cache_control: msgspec.Raw = ABSENT


class OutputDetails(msgspec.Struct, omit_defaults=True, gc=False):
    thinking_tokens: int | None = None


class Usage(msgspec.Struct, omit_defaults=True):
    """Tokens: `input_tokens` count neither what was read from a cache nor what was written to one."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None
    service_tier: str | None = None


class Answer(msgspec.Struct):
    """An answer; every field is written, as the API does. One that is read states at least its type and content."""

    type: str
    content: list[Block]
    id: str = ""
    role: str = "assistant"
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Usage = msgspec.field(default_factory=Usage)


class Delta(msgspec.Struct, gc=False):
    """What an event adds to a block, or says of the whole message's end."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None


class Started(msgspec.Struct):
    """The message as it is when its stream begins."""

    id: str = ""
    model: str = ""
    usage: Usage | None = None


class Event(msgspec.Struct):
    """A stream event of any type."""

    type: str
    index: int = 0
    delta: Delta | None = None
    content_block: Block | None = None
    message: Started | None = None
    usage: Usage | None = None
