"""A request for chat completions as one for Anthropic's messages."""

import msgspec

from tidegate.providers.translate.absent import ABSENT, has
from tidegate.providers.translate.chat_tools import JSON_TOOL, json_tool, tool_choice, tools_of
from tidegate.providers.translate.chat_turns import Turns
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import Dropped, read_request
from tidegate.providers.translate.records import ChatSaid, MessagesCan
from tidegate.providers.translate.tables import (
    BUDGETS,
    CHAT_NOTHING,
    CHAT_TOOLS,
    DEFAULT_MAX_TOKENS,
    EFFORTS,
    LEAST_BUDGET,
    TIER_TO_MESSAGES,
)
from tidegate.providers.translate.unknown import Unknown
from tidegate.providers.translate.words_chat import Request as ChatRequest
from tidegate.providers.translate.words_chat import Tool as ChatTool
from tidegate.providers.translate.words_messages import (
    Format,
    Metadata,
    OutputConfig,
    Request,
    Thinking,
    ToolChoice,
    Turn,
)

_unknown = Unknown(ChatRequest, CHAT_NOTHING, {ChatTool: CHAT_TOOLS}, {})
_decode = msgspec.json.Decoder(ChatRequest).decode
_encode = msgspec.json.Encoder().encode
_ANY_OBJECT = msgspec.Raw(b'{"type":"object"}')


def request_of(body: bytes, model: str, can: MessagesCan, dropped: Dropped) -> ChatSaid:
    """The same request for `model`. Raises `Untranslatable`. O(bytes)."""
    asked = read_request(_decode, body)
    if has(asked.functions):
        raise Untranslatable("'functions' cannot be translated. Use 'tools'.", "functions")
    _unknown.drop(body, dropped)
    turns = Turns(dropped)
    for message in asked.messages:
        turns.add(message)
    turns.close()
    said = Request(model=model, max_tokens=_limit(asked), messages=turns.turns, system=turns.system or None)
    _sampling(asked, said, can, dropped)
    said.tools = tools_of(asked, can, dropped) or None
    said.tool_choice = tool_choice(asked) if said.tools else None
    name = _format(asked, said, can, dropped)
    _thinking(asked, said, can, dropped)
    _account(asked, said, dropped)
    options = asked.stream_options
    return ChatSaid(_encode(said), name, options is not None and options.include_usage is True)


def _limit(asked: ChatRequest) -> int:
    limit = asked.max_completion_tokens if asked.max_completion_tokens is not None else asked.max_tokens
    return limit if limit is not None else DEFAULT_MAX_TOKENS


def _sampling(asked: ChatRequest, said: Request, can: MessagesCan, dropped: Dropped) -> None:
    """Temperature is at most 1 there: what is more is cut, and named."""
    if asked.temperature is not None:
        said.temperature = None if can.sampling == "none" else min(asked.temperature, 1.0)
        if said.temperature != asked.temperature:
            dropped.add("temperature")
    if asked.top_p is not None:
        alone = can.sampling == "one" and said.temperature is None
        said.top_p = asked.top_p if can.sampling == "both" or alone else None
        if said.top_p is None:
            dropped.add("top_p")
    given = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    stops = [stop for stop in given if stop.strip()]  # Anthropic takes none of white space only
    if len(stops) < len(given):
        dropped.add("stop")
    said.stop_sequences = stops or None


def _format(asked: ChatRequest, said: Request, can: MessagesCan, dropped: Dropped) -> str:
    """Wanted JSON: constrained output where there is a schema and the provider can, a tool to fill in otherwise."""
    wanted = asked.response_format
    if wanted is None or wanted.type == "text":
        return ""
    schema = wanted.json_schema.schema if wanted.json_schema is not None else ABSENT
    if wanted.type not in {"json_object", "json_schema"} or (wanted.type == "json_schema" and not has(schema)):
        dropped.add("response_format")
        return ""
    if wanted.json_schema is not None and wanted.json_schema.description:
        dropped.add("response_format.json_schema.description")
    if wanted.type == "json_schema" and can.json_schema:
        said.output_config = OutputConfig(format=Format("json_schema", schema))
        return ""
    if wanted.json_schema is not None and wanted.json_schema.strict:
        dropped.add("response_format.json_schema.strict")  # a tool's input is not held to its schema
    choice = said.tool_choice
    if choice is not None and choice.type in {"any", "tool"}:
        return ""  # the answer is a call, not a text
    if choice is not None and choice.type == "none":
        said.tools = None
    said.tool_choice = ToolChoice("any" if said.tools else "tool", None if said.tools else JSON_TOOL)
    said.tool_choice.disable_parallel_tool_use = None if said.tools else True
    said.tools = [*(said.tools or ()), json_tool(schema if has(schema) else _ANY_OBJECT)]
    return JSON_TOOL


def _thinking(asked: ChatRequest, said: Request, can: MessagesCan, dropped: Dropped) -> None:
    """Effort as thought: not where a call is forced, nor where the thought before a call is missing (both refused)."""
    effort = asked.reasoning_effort
    if effort is None or effort == "none":
        return
    forced = said.tool_choice is not None and said.tool_choice.type in {"any", "tool"}
    if effort not in BUDGETS or can.thinking == "none" or forced or _call_without_thought(said.messages):
        dropped.add("reasoning_effort")
        return
    if can.thinking == "effort":
        said.thinking = Thinking("adaptive")
        said.output_config = said.output_config or OutputConfig()
        said.output_config.effort = EFFORTS[effort]
    elif not _budget(asked, said, BUDGETS[effort]):
        dropped.add("reasoning_effort")
        return
    if said.temperature is not None and said.temperature != 1:
        dropped.add("temperature")
    if said.top_p is not None and said.top_p < 0.95:
        dropped.add("top_p")
        said.top_p = None
    said.temperature = None


def _budget(asked: ChatRequest, said: Request, budget: int) -> bool:
    """Thought counts as output in both dialects: it gets at most half of a limit that the client set."""
    if asked.max_completion_tokens is None and asked.max_tokens is None:
        said.max_tokens += budget
    else:
        budget = min(budget, said.max_tokens // 2)
    if budget < LEAST_BUDGET:
        return False
    said.thinking = Thinking("enabled", budget)
    return True


def _call_without_thought(turns: list[Turn]) -> bool:
    """Anthropic continues a call only with the thought that led to it; another provider's calls have none."""
    for turn in reversed(turns):
        blocks = turn.content if isinstance(turn.content, list) else []
        if turn.role == "assistant":
            kinds = {block.type for block in blocks}
            return "tool_use" in kinds and not kinds & {"thinking", "redacted_thinking"}
        if not any(block.type == "tool_result" for block in blocks):
            return False
    return False


def _account(asked: ChatRequest, said: Request, dropped: Dropped) -> None:
    user = asked.user or asked.safety_identifier
    said.metadata = Metadata(user) if user else None
    said.stream = asked.stream or None
    if asked.service_tier is not None:
        said.service_tier = TIER_TO_MESSAGES.get(asked.service_tier)
        if said.service_tier is None:
            dropped.add("service_tier")
