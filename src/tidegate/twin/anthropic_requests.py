"""What a request of Anthropic's Messages API asks for, checked as it is documented, in its own words.

Like the provider, and unlike the twin's OpenAI, it refuses fields that it does not know: a translation that carries
something over that has no meaning here is found out. Source: docs.anthropic.com/en/api/messages (November 2026).
"""

import re
from typing import Any, Final, Literal

import msgspec

from tidegate.twin import anthropic_turns as turns
from tidegate.twin import asks
from tidegate.twin.anthropic_turns import Block, Document, Turn, read
from tidegate.twin.asks import Ask
from tidegate.twin.problems import Problem
from tidegate.twin.settings import Model

LEAST_BUDGET: Final = 1_024
_THOUGHT: Final = 24  # the twin never thinks longer
_CHARS_PER_TOKEN: Final = 32


class Tool(msgspec.Struct):
    """A tool; one with another type than `custom` is the provider's own, which the twin does not use."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    type: str | None = None
    cache_control: dict[str, Any] | None = None


class ToolChoice(msgspec.Struct):
    """How tools are used."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct):
    """Whether to think before the answer."""

    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: int | None = None
    display: str | None = None


class Metadata(msgspec.Struct):
    """For whom the call is."""

    user_id: str | None = None


class Format(msgspec.Struct):
    """The form of an answer."""

    type: str
    schema: dict[str, Any] | None = None


class OutputConfig(msgspec.Struct):
    """The form and the effort of an answer."""

    format: Format | None = None
    effort: str | None = None


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """All documented fields."""

    model: str | None = None
    messages: list[Turn] | None = None
    max_tokens: int | None = None
    system: str | list[Block] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    metadata: Metadata | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    cache_control: dict[str, Any] | None = None
    service_tier: str | None = None
    container: Any = None
    context_management: Any = None
    mcp_servers: Any = None
    inference_geo: str | None = None
    speed: str | None = None
    betas: Any = None


def bad(message: str) -> Problem:
    """400 `invalid_request_error`."""
    return Problem(400, message)


class Parser:
    """Reads bodies for the models it knows. Raises `Problem`."""

    __slots__ = ("_decoder", "_models")

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}
        self._decoder = msgspec.json.Decoder(Body)

    def message(self, raw: bytes) -> Ask:
        """`POST /messages`."""
        body = self._body(raw)
        if body.max_tokens is None:
            raise bad("max_tokens: Field required")
        if body.max_tokens < 1:
            raise bad("max_tokens: Input should be greater than or equal to 1")
        _bounded("temperature", body.temperature, 1)
        _bounded("top_p", body.top_p, 1)
        ask = self._prompt(body)
        _bound_output(body.max_tokens, ask.model)
        ask.stream = bool(body.stream)
        ask.max_tokens = body.max_tokens
        ask.stops = _stops(body.stop_sequences)
        ask.user = (body.metadata.user_id if body.metadata is not None else None) or ""
        ask.thinking = _thinking(body)
        _structure(ask, body)
        return ask

    def count(self, raw: bytes) -> Ask:
        """`POST /messages/count_tokens`."""
        return self._prompt(self._body(raw))

    def _body(self, raw: bytes) -> Body:
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise bad(_explained(str(error))) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise bad(f"The request body is not valid JSON: {error}") from None

    def _prompt(self, body: Body) -> Ask:
        if not body.model:
            raise bad("model: Field required")
        if body.messages is None:
            raise bad("messages: Field required")
        model = self._models.get(body.model)
        if model is None:
            raise Problem(404, f"model: {body.model}", kind="not_found_error")
        document = Document()
        for tool in body.tools or ():
            document.add(msgspec.json.encode(tool).decode(), cached=tool.cache_control is not None)
        _system(document, body.system)
        talk = read(document, body.messages)
        if body.cache_control is not None:
            document.mark_last()
        ask = Ask(model, document.texts, document.tokens(), breakpoints=document.breakpoints())
        ask.hint, ask.after = talk.said, asks.continued(talk.prefix)
        _offer(ask, body, asked=talk.asked)
        chars = sum(map(len, document.texts))
        if chars > model.context * _CHARS_PER_TOKEN:
            raise bad(f"prompt is too long: {chars // 4} tokens > {model.context} maximum")
        return ask


def _bound_output(stated: int, model: Model) -> None:
    if model.most_output and stated > model.most_output:
        raise bad(
            f"max_tokens: {stated} > {model.most_output}, which is the maximum allowed number of output tokens for "
            f"{model.name}"
        )


def _system(document: Document, system: str | list[Block] | None) -> None:
    if isinstance(system, str):
        document.add(system)
        return
    for index, block in enumerate(system or ()):
        if block.type != "text" or not block.text:
            raise bad(f"system.{index}: system prompts are non-empty text blocks")
        document.add(block.text, cached=block.cache_control is not None)


def _offer(ask: Ask, body: Body, *, asked: bool) -> None:
    choice = body.tool_choice
    kind = choice.type if choice is not None else "auto"
    if choice is not None and not body.tools:
        raise bad("tool_choice: may only be specified while providing tools")
    if kind == "none":
        return
    tools = [tool for tool in body.tools or () if tool.type in {None, "custom"}]
    functions = [asks.Function(tool.name, tool.description, tool.input_schema) for tool in tools]
    if kind == "tool":
        wanted = choice.name if choice is not None else None
        functions = [one for one in functions if one.name == wanted]
        if not functions:
            raise bad(f"tool_choice: Tool '{wanted}' not found in provided tools")
    forced = kind in {"any", "tool"}
    if forced and body.thinking is not None and body.thinking.type != "disabled":
        raise bad("Thinking may not be enabled when tool_choice forces tool use.")
    parallel = not (choice is not None and choice.disable_parallel_tool_use)
    if asked or forced:
        asks.offer(ask, functions, forced=forced, parallel=parallel, asked=asked)


def _thinking(body: Body) -> int:
    """Tokens that are thought before the answer."""
    thinking, most = body.thinking, body.max_tokens or 0
    if thinking is None or thinking.type == "disabled":
        return 0
    if thinking.type == "adaptive":
        return min(_THOUGHT, most // 2)
    if thinking.budget_tokens is None:
        raise bad("thinking.enabled.budget_tokens: Field required")
    if thinking.budget_tokens < LEAST_BUDGET:
        raise bad(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}")
    if most <= thinking.budget_tokens:
        raise bad("`max_tokens` must be greater than `thinking.budget_tokens`.")
    return _THOUGHT


def _structure(ask: Ask, body: Body) -> None:
    form = body.output_format or (body.output_config.format if body.output_config is not None else None)
    if form is None:
        return
    if form.type != "json_schema" or form.schema is None:
        raise bad("output_config.format: Input should be a `json_schema` with its `schema`")
    ask.schema = form.schema


def _stops(stops: list[str] | None) -> tuple[str, ...]:
    if any(not stop.strip() for stop in stops or ()):
        raise bad("stop_sequences: each stop sequence must contain non-whitespace")
    return tuple(stops or ())


def _bounded(field: str, value: float | None, most: float) -> None:
    if value is not None and not 0 <= value <= most:
        raise bad(f"{field}: Input should be between 0 and {most}")


_WHERE: Final = re.compile(r"^(?P<detail>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"contains unknown field `(?P<field>[^`]*)`")
_REQUIRED: Final = re.compile(r"missing required field `(?P<field>[^`]*)`")


def _explained(text: str) -> str:
    """Anthropic's words for what the decoder found."""
    match = _WHERE.match(text)
    detail, path = (match["detail"], match["path"] or "") if match else (text, "")
    path = turns.dotted(path)
    for pattern, words in ((_UNKNOWN, "Extra inputs are not permitted"), (_REQUIRED, "Field required")):
        found = pattern.search(detail)
        if found:
            return f"{path}.{found['field']}: {words}".lstrip(".")
    return f"{path}: {detail.replace('`', '')}".lstrip(": ")
