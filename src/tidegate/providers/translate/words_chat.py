"""The words of chat completions that are carried over: requests, answers and chunks.

Flat records: a part or a message has the fields of all its types, and what a type does not have stays away. Fields that
stand here are known to both dialects or decided upon; everything else is left out by decoding. Source: OpenAI's API
reference; `reasoning_content` (DeepSeek), `reasoning` (vLLM, OpenRouter), `thinking_blocks` and `cache_control`
(LiteLLM, OpenRouter, DashScope) are in wide use beside it.
"""

import msgspec

from tidegate.providers.translate.absent import ABSENT

# ruff: noqa: D101 - records that bear the names of the fields they are read from


class ImageUrl(msgspec.Struct, omit_defaults=True, gc=False):
    url: str
    detail: str | None = None


class File(msgspec.Struct, omit_defaults=True, gc=False):
    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None


class Part(msgspec.Struct, omit_defaults=True):
    """One part of a message's content."""

    type: str
    text: str | None = None
    image_url: ImageUrl | str | None = None
    file: File | None = None
    refusal: str | None = None
    cache_control: msgspec.Raw = ABSENT
    prompt_cache_breakpoint: msgspec.Raw = ABSENT


class Function(msgspec.Struct, omit_defaults=True, gc=False):
    """A tool: its name, and the JSON Schema of its arguments."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = ABSENT
    strict: bool | None = None


class Tool(msgspec.Struct, omit_defaults=True):
    type: str = ""
    function: Function | None = None
    cache_control: msgspec.Raw = ABSENT


class Called(msgspec.Struct, gc=False):
    """What is called: `arguments` is a text that should be JSON."""

    name: str = ""
    arguments: str = ""


class Custom(msgspec.Struct, gc=False):
    name: str = ""
    input: str = ""


class ToolCall(msgspec.Struct, omit_defaults=True):
    id: str = ""
    type: str = ""
    function: Called | None = None
    custom: Custom | None = None


class ThinkingBlock(msgspec.Struct, omit_defaults=True, gc=False):
    """A thought as its maker signed it, so that the client can give it back; `data` when it is redacted."""

    type: str = ""
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class Message(msgspec.Struct, omit_defaults=True):
    """One message of a request."""

    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    refusal: str | None = None
    audio: msgspec.Raw = ABSENT
    function_call: msgspec.Raw = ABSENT
    cache_control: msgspec.Raw = ABSENT


class Named(msgspec.Struct, gc=False):
    name: str


class AllowedTool(msgspec.Struct):
    type: str = ""
    function: Named | None = None


class AllowedTools(msgspec.Struct):
    mode: str = "auto"
    tools: list[AllowedTool] = []


class ToolChoice(msgspec.Struct, omit_defaults=True):
    """A choice that is more than a word."""

    type: str
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: AllowedTools | None = None


class JsonSchema(msgspec.Struct, omit_defaults=True, gc=False):
    name: str = ""
    schema: msgspec.Raw = ABSENT
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, omit_defaults=True):
    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(msgspec.Struct, omit_defaults=True, gc=False):
    include_usage: bool | None = None


class Request(msgspec.Struct, omit_defaults=True):
    """What of a request can be carried over."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    functions: msgspec.Raw = ABSENT


class PromptDetails(msgspec.Struct, omit_defaults=True, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct, omit_defaults=True, gc=False):
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct, omit_defaults=True):
    """Tokens: `prompt_tokens` count what was read from and written to a cache, too."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class StatedUsage(msgspec.Struct):
    """A usage as some provider states it."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class Answered(msgspec.Struct, omit_defaults=True):
    """The message of an answer that is written; a text that is absent is said to be null."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    thinking_blocks: list[ThinkingBlock] = []
    tool_calls: list[ToolCall] = []


class Choice(msgspec.Struct):
    index: int
    message: Answered
    logprobs: None
    finish_reason: str


class Completion(msgspec.Struct, omit_defaults=True):
    """An answer that is written."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    service_tier: str | None = None


class ReadMessage(msgspec.Struct):
    """The message of an answer that is read."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    tool_calls: list[ToolCall] | None = None


class ReadChoice(msgspec.Struct):
    """`stop_reason` is vLLM's and SGLang's: the stop sequence that was met."""

    message: ReadMessage
    index: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None


class ReadCompletion(msgspec.Struct):
    """An answer that is read."""

    choices: list[ReadChoice]
    id: str | None = None
    model: str | None = None
    usage: StatedUsage | None = None
    service_tier: str | None = None


class CalledDelta(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: CalledDelta | None = None


class Delta(msgspec.Struct):
    """What a chunk adds."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(msgspec.Struct):
    delta: Delta | None = None
    index: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None


class Chunk(msgspec.Struct):
    """A streamed event that is read."""

    choices: list[ChunkChoice] = []
    id: str | None = None
    model: str | None = None
    usage: StatedUsage | None = None
