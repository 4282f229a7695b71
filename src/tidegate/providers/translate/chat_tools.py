"""Tools and the choice among them: chat completions to messages."""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import Dropped, read_inner
from tidegate.providers.translate.records import MessagesCan
from tidegate.providers.translate.tables import CHOICE_OF_WORD
from tidegate.providers.translate.words_chat import Function, Request
from tidegate.providers.translate.words_chat import Tool as ChatTool
from tidegate.providers.translate.words_messages import Tool, ToolChoice

JSON_TOOL = "json_output"
_JSON_DESCRIPTION = "Give the answer as the input of this tool, once it is complete."
_NO_ARGUMENTS = msgspec.Raw(b'{"type":"object","properties":{}}')
_decode_schema = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def json_tool(schema: msgspec.Raw) -> Tool:
    """The tool whose input is a wanted JSON."""
    return Tool(name=JSON_TOOL, description=_JSON_DESCRIPTION, input_schema=_schema(schema, "response_format"))


def tools_of(asked: Request, can: MessagesCan, dropped: Dropped) -> list[Tool]:
    """The tools that may be called. What only one maker runs or parses is dropped, and named."""
    allowed = _allowed(asked)
    tools = []
    for tool in asked.tools or ():
        function = tool.function
        if function is None or tool.type not in {"", "function"}:
            dropped.add("tools.custom" if tool.type == "custom" else "tools.type")
        elif allowed is None or function.name in allowed:
            tools.append(_tool(tool, function, can, dropped))
    return tools


def _tool(tool: ChatTool, function: Function, can: MessagesCan, dropped: Dropped) -> Tool:
    said = Tool(name=function.name, description=function.description or None, cache_control=tool.cache_control)
    said.input_schema = _schema(function.parameters, "tools.function.parameters")
    if function.strict and can.json_schema:
        said.strict = True
    elif function.strict:
        dropped.add("tools.function.strict")
    return said


def _schema(given: msgspec.Raw, param: str) -> msgspec.Raw:
    """A schema says that it is of an object: Anthropic demands it, chat completions do not."""
    if not has(given):
        return _NO_ARGUMENTS
    fields = read_inner(_decode_schema, given, param)
    if "type" in fields:
        return given
    return msgspec.Raw(_encode({"type": "object", **fields}))


def _allowed(asked: Request) -> frozenset[str] | None:
    choice = asked.tool_choice
    if choice is None or isinstance(choice, str) or choice.allowed_tools is None:
        return None
    return frozenset(tool.function.name for tool in choice.allowed_tools.tools if tool.function is not None)


def tool_choice(asked: Request) -> ToolChoice | None:
    """The choice among tools, and whether several may be called at once."""
    choice = asked.tool_choice
    single = True if asked.parallel_tool_calls is False else None
    if choice is None:
        return ToolChoice("auto", None, single) if single else None
    if not isinstance(choice, str):
        if choice.function is not None:
            return ToolChoice("tool", choice.function.name, single)
        choice = choice.allowed_tools.mode if choice.allowed_tools is not None else ""
    word = CHOICE_OF_WORD.get(choice)
    if word is None:
        raise Untranslatable("'tool_choice' must be auto, none, required or a function.", "tool_choice")
    return ToolChoice(word, None, None if word == "none" else single)
