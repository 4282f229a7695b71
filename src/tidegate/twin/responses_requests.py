"""What a request of OpenAI's Responses API asks for. The twin keeps none: what refers to an earlier one is refused.

Source: platform.openai.com/docs/api-reference/responses (November 2026).
"""

from typing import Any, Final

import msgspec

from tidegate.twin import asks, images, problems
from tidegate.twin.asks import Ask, Function
from tidegate.twin.problems import Problem
from tidegate.twin.requests import THOUGHT, between, explained, fitting, known, only
from tidegate.twin.settings import Model
from tidegate.twin.tokens import FILE, MESSAGE, PRIMING

LEAST_OUTPUT: Final = 16
_ECHOED: Final = frozenset(
    {
        "instructions",
        "max_output_tokens",
        "metadata",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "truncation",
        "user",
    }
)
_PARTS: Final = "'input_text', 'input_image', 'output_text', 'refusal' and 'input_file'"
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Part(msgspec.Struct):
    """One part of a message."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None


class Item(msgspec.Struct):
    """One item of the input. Without a type it is a message."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class Tool(msgspec.Struct):
    """A tool; what is no function is the provider's own."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Format(msgspec.Struct):
    """The form of a text."""

    type: str
    schema: dict[str, Any] | None = None


class Text(msgspec.Struct):
    """How text is written."""

    format: Format | None = None


class Reasoning(msgspec.Struct):
    """How hard to think."""

    effort: str | None = None


class Body(msgspec.Struct):
    """The fields that matter here."""

    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    background: bool | None = None
    user: str | None = None


class ResponseParser:
    """Reads bodies for the models it knows. Raises `Problem`."""

    __slots__ = ("_decoder", "_models")

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}
        self._decoder = msgspec.json.Decoder(Body)

    def response(self, raw: bytes, model: str = "") -> Ask:
        """`POST /responses`."""
        body = self._body(raw)
        _stateless(body)
        if body.input is None:
            raise problems.missing("input")
        found = known(self._models, model or body.model, "chat", "v1/responses")
        items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
        if not items:
            raise problems.empty("input")
        ask = Ask(found, [], PRIMING, stream=bool(body.stream), user=body.user or "")
        if body.instructions:
            _say(ask, body.instructions)
        for index, item in enumerate(items):
            _add(ask, item, f"input[{index}]")
        ask.max_tokens = between("max_output_tokens", body.max_output_tokens, LEAST_OUTPUT)
        ask.thinking = _thinking(body, ask.max_tokens)
        _structure(ask, body)
        _offer(ask, body, asked=items[-1].role == "user")
        ask.echo = {name: value for name, value in _FIELDS.decode(raw).items() if name in _ECHOED}
        return fitting(ask)

    def _body(self, raw: bytes) -> Body:
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise explained(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise problems.unparsable(error) from None


def _stateless(body: Body) -> None:
    """Nothing is kept, so that nothing can be referred to."""
    if body.previous_response_id:
        text = f"Previous response with id '{body.previous_response_id}' not found."
        raise Problem(400, text, param="previous_response_id", code="previous_response_not_found")
    if body.conversation is not None:
        raise Problem(404, "Conversation not found.", param="conversation")
    if body.background:
        raise Problem(400, "Background mode is not supported with this model.", param="background")


def _say(ask: Ask, text: str) -> None:
    ask.texts.append(text)
    ask.extra += MESSAGE + 1


def _add(ask: Ask, item: Item, where: str) -> None:
    match item.type:
        case "message":
            if item.role not in {"system", "developer", "user", "assistant"}:
                raise problems.bad_value(
                    f"{where}.role", str(item.role), "'assistant', 'system', 'developer', and 'user'"
                )
            said = _words(ask, item.content, f"{where}.content")
            if item.role == "user":
                ask.hint = said
        case "function_call":
            if not item.call_id or not item.name or item.arguments is None:
                raise problems.missing(f"{where}.call_id")
            _say(ask, item.name + item.arguments)
        case "function_call_output":
            if not item.call_id:
                raise problems.missing(f"{where}.call_id")
            _words(ask, item.output, f"{where}.output")
        case "reasoning":
            pass  # thoughts of earlier turns are not counted
        case _:
            raise problems.bad_value(
                f"{where}.type", item.type, "'message', 'function_call', 'function_call_output' and 'reasoning'"
            )


def _words(ask: Ask, content: str | list[Part] | None, where: str) -> str:
    """Add what was said; return its text."""
    if content is None:
        raise problems.missing(where)
    if isinstance(content, str):
        _say(ask, content)
        return content
    ask.extra += MESSAGE + 1
    said = []
    for index, part in enumerate(content):
        text = part.text if part.text is not None else part.refusal
        if text is not None:
            ask.texts.append(text)
            said.append(text)
        elif part.type == "input_image":
            ask.extra += images.charge(ask.model.tile, part.detail or "auto", part.image_url or "")
        elif part.type == "input_file" and (part.file_data or part.file_id or part.file_url):
            ask.extra += FILE
        elif part.type == "input_file":
            raise problems.missing(f"{where}[{index}].file_id")
        else:
            raise problems.bad_value(f"{where}[{index}].type", part.type, _PARTS)
    return " ".join(said)


def _thinking(body: Body, most: int) -> int:
    effort = (body.reasoning.effort if body.reasoning is not None else None) or "none"
    if effort not in THOUGHT:
        raise problems.bad_value("reasoning.effort", effort, ", ".join(f"'{one}'" for one in THOUGHT))
    return min(THOUGHT[effort], most // 2) if most else THOUGHT[effort]


def _structure(ask: Ask, body: Body) -> None:
    form = body.text.format if body.text is not None else None
    if form is None or form.type == "text":
        return
    if form.type == "json_object":
        ask.schema = {}
    elif form.type == "json_schema" and form.schema is not None:
        ask.schema = form.schema
        ask.texts.append(msgspec.json.encode(form.schema).decode())
    else:
        raise problems.bad_value("text.format.type", form.type, "'json_object', 'json_schema' and 'text'")


def _offer(ask: Ask, body: Body, *, asked: bool) -> None:
    if not body.tools or body.tool_choice == "none":
        return
    ask.texts.append(msgspec.json.encode(body.tools).decode())
    functions = [Function(tool.name, tool.description, tool.parameters) for tool in body.tools if tool.name]
    wanted = str(body.tool_choice.get("name", "")) if isinstance(body.tool_choice, dict) else ""
    if wanted:
        functions = only(functions, wanted)
    forced = bool(wanted) or body.tool_choice == "required"
    if asked or forced:
        asks.offer(ask, functions, forced=forced, parallel=body.parallel_tool_calls is not False, asked=asked)
