"""The tools of a request and the choice among them: functions are carried over, what the provider runs is refused."""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import Dropped, read_inner
from tidegate.providers.translate.responses_items import ELSEWHERE
from tidegate.providers.translate.responses_words import ChatRequest, Request, Tool, ToolChoice
from tidegate.providers.translate.words_chat import Function, Named
from tidegate.providers.translate.words_chat import Tool as ChatTool
from tidegate.providers.translate.words_chat import ToolChoice as ChatChoice

_decode_tools = msgspec.json.Decoder(list[Tool]).decode
_decode_choice = msgspec.json.Decoder(str | ToolChoice).decode
_WORDS = frozenset({"none", "auto", "required"})
_PLAIN = frozenset({b"false", b'["direct"]', b"[]"})


def add_tools(asked: Request, said: ChatRequest, dropped: Dropped) -> None:
    """Tools, choice and how many at once. Raises `Untranslatable`. A choice among no tools is left out."""
    tools = read_inner(_decode_tools, asked.tools, "tools") if has(asked.tools) else []
    choice = read_inner(_decode_choice, asked.tool_choice, "tool_choice") if has(asked.tool_choice) else "auto"
    translated = [_tool(tool, dropped) for tool in tools]
    if isinstance(choice, ToolChoice) and choice.type == "allowed_tools":
        translated, choice = _allowed(translated, choice), choice.mode
    if not translated:
        return
    said.tools = translated
    said.parallel_tool_calls = asked.parallel_tool_calls
    if isinstance(choice, str) and choice in _WORDS:
        said.tool_choice = choice if has(asked.tool_choice) else None
    elif isinstance(choice, ToolChoice) and choice.type == "function" and choice.name:
        said.tool_choice = ChatChoice("function", Named(choice.name))
    else:
        word = choice if isinstance(choice, str) else choice.type
        problem = f"The tool choice '{word[:64]}' has no equal in chat completions. Choose a function, {ELSEWHERE}."
        raise Untranslatable(problem, "tool_choice")


def _tool(tool: Tool, dropped: Dropped) -> ChatTool:
    if tool.type != "function" or not tool.name:
        what = f"The tool '{tool.type[:64]}'" if tool.type != "function" else "A function without a name"
        problem = f"{what} has no equal in chat completions. Use tools of type 'function', {ELSEWHERE}."
        raise Untranslatable(problem, "tools")
    for name, value in (
        ("defer_loading", tool.defer_loading),
        ("allowed_callers", tool.allowed_callers),
        ("output_schema", tool.output_schema),
    ):
        if has(value) and bytes(value) not in _PLAIN:
            dropped.add(f"tools.{name}")
    function = Function(tool.name, tool.description, strict=tool.strict)
    if has(tool.parameters):
        function.parameters = tool.parameters
    return ChatTool("function", function)


def _allowed(tools: list[ChatTool], choice: ToolChoice) -> list[ChatTool]:
    """Only those that may be used: `allowed_tools` itself is known to few."""
    names = {named.name for named in choice.tools if named.type == "function"}
    allowed = [tool for tool in tools if tool.function is not None and tool.function.name in names]
    if len(names) > len(allowed) or len(names) < len(choice.tools):
        raise Untranslatable("'tool_choice.tools' names what is no function in 'tools'. Name functions.", "tool_choice")
    return allowed
