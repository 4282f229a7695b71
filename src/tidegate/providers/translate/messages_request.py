"""A request for Anthropic's messages as one for chat completions."""

import msgspec

from tidegate.providers.translate.absent import ABSENT, has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.messages_turns import Messages
from tidegate.providers.translate.reading import Dropped, read_inner, read_request
from tidegate.providers.translate.records import ChatCan, MessagesSaid
from tidegate.providers.translate.strict import is_strict
from tidegate.providers.translate.tables import (
    LONGEST_USER,
    MESSAGES_BLOCKS,
    MESSAGES_NOTHING,
    MESSAGES_TOOLS,
    MOST_STOPS,
    TIER_TO_CHAT,
    WORD_OF_CHOICE,
    effort_of,
)
from tidegate.providers.translate.unknown import Types, Unknown
from tidegate.providers.translate.words_chat import (
    Function,
    JsonSchema,
    Named,
    Request,
    ResponseFormat,
    StreamOptions,
    Tool,
    ToolChoice,
)
from tidegate.providers.translate.words_messages import Block
from tidegate.providers.translate.words_messages import Request as MessagesRequest
from tidegate.providers.translate.words_messages import Tool as MessagesTool

_TYPES: Types = {Block: MESSAGES_BLOCKS, MessagesTool: MESSAGES_TOOLS}
_unknown = Unknown(MessagesRequest, MESSAGES_NOTHING, _TYPES, {"messages.content.content": Block})
_decode = msgspec.json.Decoder(MessagesRequest).decode
_decode_schema = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder().encode


def request_of(body: bytes, model: str, can: ChatCan, dropped: Dropped) -> MessagesSaid:
    """The same request for `model`. Raises `Untranslatable`. O(bytes)."""
    asked = read_request(_decode, body)
    _unknown.drop(body, dropped)
    messages = Messages(can, dropped)
    try:
        messages.system(asked.system)
        for turn in asked.messages:
            messages.add(turn)
    except UnicodeDecodeError:
        raise Untranslatable("'messages' is not UTF-8. Send JSON encoded as UTF-8.", "messages") from None
    if not messages.messages:
        raise Untranslatable("'messages' has no content. Send at least one message with content.", "messages")
    said = Request(model=model, messages=messages.messages)
    _sampling(asked, said, can, dropped)
    if can.max_completion_tokens:
        said.max_completion_tokens = asked.max_tokens
    else:
        said.max_tokens = asked.max_tokens
    if has(asked.cache_control):
        dropped.add("cache_control")
    stops = _stops(asked, said, dropped)
    _tools(asked, said, can, dropped)
    _output(asked, said, can, dropped)
    _account(asked, said, dropped)
    thoughts = asked.thinking is not None and asked.thinking.type != "disabled"
    return MessagesSaid(_encode(said), thoughts, stops)


def _sampling(asked: MessagesRequest, said: Request, can: ChatCan, dropped: Dropped) -> None:
    if can.sampling:
        said.temperature, said.top_p = asked.temperature, asked.top_p
        return
    for name, value in (("temperature", asked.temperature), ("top_p", asked.top_p)):
        if value is not None and value != 1:
            dropped.add(name)


def _stops(asked: MessagesRequest, said: Request, dropped: Dropped) -> tuple[str, ...]:
    stops = asked.stop_sequences or []
    if len(stops) > MOST_STOPS:
        dropped.add("stop_sequences")
    said.stop = stops[:MOST_STOPS] or None
    return tuple(stops[:MOST_STOPS])


def _tools(asked: MessagesRequest, said: Request, can: ChatCan, dropped: Dropped) -> None:
    """The client's own tools and the choice among them; those that the provider runs are dropped, and named."""
    tools = []
    for tool in asked.tools or ():
        if tool.type not in {None, "custom"}:
            dropped.add("tools.type")
            continue
        function = Function(tool.name, tool.description, tool.input_schema, tool.strict)
        tools.append(Tool("function", function, tool.cache_control if can.cache_control else ABSENT))
        if has(tool.cache_control) and not can.cache_control:
            dropped.add("cache_control")
    said.tools = tools or None
    choice = asked.tool_choice
    if choice is None or not tools:
        return
    if choice.type == "tool" and choice.name is not None:
        said.tool_choice = ToolChoice("function", Named(choice.name))
    elif choice.type in WORD_OF_CHOICE:
        said.tool_choice = WORD_OF_CHOICE[choice.type]
    else:
        raise Untranslatable("'tool_choice.type' must be auto, none, any or tool with a name.", "tool_choice")
    said.parallel_tool_calls = False if choice.disable_parallel_tool_use else None


def _output(asked: MessagesRequest, said: Request, can: ChatCan, dropped: Dropped) -> None:
    """The form of the answer and the effort for it."""
    config, thinking = asked.output_config, asked.thinking
    wanted = (config.format if config is not None else None) or asked.output_format
    if wanted is not None and has(wanted.schema):
        schema = read_inner(_decode_schema, wanted.schema, "output_config.format.schema")
        form = JsonSchema("output", wanted.schema, strict=True if is_strict(schema) else None)
        said.response_format = ResponseFormat("json_schema", form)
    effort = config.effort if config is not None else None
    if effort is None and thinking is not None and thinking.type == "enabled":
        effort = effort_of(thinking.budget_tokens or 0)
    if effort is not None and can.reasoning_effort:
        said.reasoning_effort = effort
    elif not can.reasoning_effort:
        if thinking is not None and thinking.type != "disabled":
            dropped.add("thinking")
        if config is not None and config.effort is not None:
            dropped.add("output_config.effort")


def _account(asked: MessagesRequest, said: Request, dropped: Dropped) -> None:
    user = asked.metadata.user_id if asked.metadata is not None else None
    if user is not None and len(user) > LONGEST_USER:
        dropped.add("metadata.user_id")
    else:
        said.user = user
    if asked.service_tier is not None:
        said.service_tier = TIER_TO_CHAT.get(asked.service_tier)
        if said.service_tier is None:
            dropped.add("service_tier")
    if asked.stream:
        said.stream, said.stream_options = True, StreamOptions(include_usage=True)
