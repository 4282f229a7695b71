"""What a request asks for: its documented fields, decoded and checked; everything else is ignored, as OpenAI does not.

Each parser returns an `Ask` or raises `Problem` with the documented status, param and code.
"""

import re
from typing import Any, Final

import msgspec

from tidegate.twin import asks, problems
from tidegate.twin import chat_turns as turns
from tidegate.twin.asks import Ask, Function
from tidegate.twin.chat_turns import Message
from tidegate.twin.problems import Problem
from tidegate.twin.settings import Model

THOUGHT: Final = {"none": 0, "minimal": 0, "low": 8, "medium": 16, "high": 32, "xhigh": 64}  # by reasoning effort
LEGACY_MAX_TOKENS: Final = 16
_CHARS_PER_TOKEN: Final = 32  # a prompt with more characters than 32 a token of context is refused uncounted


class Tool(msgspec.Struct):
    """A tool that may be called."""

    type: str
    function: Function | None = None


class StreamOptions(msgspec.Struct):
    """How to stream."""

    include_usage: bool | None = None


class JsonSchema(msgspec.Struct):
    """The schema of a structured answer."""

    name: str
    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct):
    """The form of an answer."""

    type: str
    json_schema: JsonSchema | None = None


class Body(msgspec.Struct):
    """The fields that chat, text and embedding requests share or own."""

    model: str | None = None
    messages: list[Message] | None = None
    prompt: str | list[Any] | None = None
    input: str | list[Any] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    enable_thinking: bool | None = None  # DashScope
    encoding_format: str | None = None
    dimensions: int | None = None
    user: str | None = None


class Parser:
    """Reads request bodies for the models it knows."""

    __slots__ = ("_decoder", "_models")

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}
        self._decoder = msgspec.json.Decoder(Body)

    def chat(self, raw: bytes, model: str = "") -> Ask:
        """`POST /chat/completions`."""
        body = self._body(raw)
        found = self._model(model or body.model, "chat", "v1/chat/completions")
        if body.messages is None:
            raise problems.missing("messages")
        if not body.messages:
            raise problems.empty("messages")
        texts, extra = turns.texts_of(body.messages, found)
        turns.check_calls(body.messages)
        ask = self._generation(body, found, texts, extra)
        last = body.messages[-1]
        ask.hint = turns.said(body.messages)
        ask.thinking = _thinking(body, ask.max_tokens)
        if last.role == "assistant" and (last.prefix or last.partial):
            ask.after = asks.continued(turns.text_of(last))
        _structure(ask, body)
        _offer_tools(ask, body, asked=last.role == "user")
        return fitting(ask)

    def text(self, raw: bytes, model: str = "") -> Ask:
        """`POST /completions`."""
        body = self._body(raw)
        found = self._model(model or body.model, "chat", "v1/completions")
        texts, extra, count = _inputs(body.prompt, "prompt")
        ask = self._generation(body, found, texts, extra)
        ask.max_tokens = ask.max_tokens or LEGACY_MAX_TOKENS
        ask.n *= count
        return fitting(ask)

    def embedding(self, raw: bytes, model: str = "") -> Ask:
        """`POST /embeddings`."""
        body = self._body(raw)
        found = self._model(model or body.model, "embedding", "v1/embeddings")
        texts, extra, count = _inputs(body.input, "input")
        between("input", count, 1, 2_048)
        dimensions = between("dimensions", body.dimensions, 1, found.dimensions) or found.dimensions
        form = body.encoding_format or "float"
        if form not in {"float", "base64"}:
            raise problems.bad_value("encoding_format", form, "'float' and 'base64'")
        ask = Ask(found, texts, extra, inputs=count, dimensions=dimensions, base64=form == "base64")
        return fitting(ask)

    def _body(self, raw: bytes) -> Body:
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise explained(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise problems.unparsable(error) from None

    def _model(self, name: str | None, kind: str, endpoint: str) -> Model:
        return known(self._models, name, kind, endpoint)

    def _generation(self, body: Body, model: Model, texts: list[str], extra: int) -> Ask:
        most = between("max_completion_tokens", body.max_completion_tokens, 1)
        _bound_output(most or body.max_tokens or 0, model)
        return Ask(
            model,
            texts,
            extra,
            stream=bool(body.stream),
            include_usage=_include_usage(body),
            max_tokens=most or between("max_tokens", body.max_tokens, 1),
            n=between("n", body.n, 1, 128) or 1,
            stops=_stops(body.stop),
            user=body.user or "",
        )


def known(models: dict[str, Model], name: str | None, kind: str, endpoint: str) -> Model:
    """The model of that name and kind; Google's prefix is nothing to it. Raises `Problem`."""
    if not name:
        raise Problem(400, "you must provide a model parameter", param="model")
    model = models.get(name.removeprefix("models/"))
    if model is None:
        raise problems.unknown_model(name)
    if model.kind != kind:
        raise problems.wrong_model(model.name, endpoint)
    return model


def _bound_output(stated: int, model: Model) -> None:
    if model.most_output and stated > model.most_output:
        text = (
            f"max_tokens is too large: {stated}. This model supports at most {model.most_output} completion tokens, "
            f"whereas you provided {stated}."
        )
        raise Problem(400, text, param="max_tokens", code="invalid_value")


def _include_usage(body: Body) -> bool:
    if body.stream_options is None:
        return False
    if not body.stream:
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Problem(400, text, param="stream_options")
    return bool(body.stream_options.include_usage)


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if len(stops) > 4:
        text = f"Invalid 'stop': array too long. Expected at most 4 elements, but got {len(stops)} instead."
        raise Problem(400, text, param="stop", code="array_above_max_length")
    return tuple(text for text in stops if text)


def between(param: str, value: int | None, least: int, most: int | None = None) -> int:
    """The value, 0 when it is not stated. Raises `Problem` outside its bounds."""
    if value is None:
        return 0
    if value < least:
        raise problems.below(param, least, value)
    if most is not None and value > most:
        raise problems.above(param, most, value)
    return value


def _thinking(body: Body, most: int) -> int:
    effort = body.reasoning_effort or ("medium" if body.enable_thinking else "none")
    if effort not in THOUGHT:
        raise problems.bad_value("reasoning_effort", effort, ", ".join(f"'{one}'" for one in THOUGHT))
    return min(THOUGHT[effort], most // 2) if most else THOUGHT[effort]


def _structure(ask: Ask, body: Body) -> None:
    """The form that the answer must have."""
    form = body.response_format
    if form is None or form.type == "text":
        return
    if form.type == "json_object":
        if "json" not in "".join(ask.texts).lower():
            text = (
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
            )
            raise Problem(400, text, param="messages")
        ask.schema = {}
    elif form.type == "json_schema":
        if form.json_schema is None:
            raise problems.missing("response_format.json_schema")
        ask.schema = form.json_schema.schema or {"type": "object"}
        ask.texts.append(msgspec.json.encode(ask.schema).decode())
    else:
        raise problems.bad_value("response_format.type", form.type, "'json_object', 'json_schema' and 'text'")


def _offer_tools(ask: Ask, body: Body, *, asked: bool) -> None:
    """Which tools may be called, and whether one must be."""
    if not body.tools or body.tool_choice == "none":
        return
    ask.texts.append(msgspec.json.encode(body.tools).decode())
    functions = [tool.function for tool in body.tools if tool.function is not None]
    wanted = _wanted(body.tool_choice)
    if wanted:
        functions = only(functions, wanted)
    forced = bool(wanted) or body.tool_choice == "required"
    if asked or forced:
        asks.offer(ask, functions, forced=forced, parallel=body.parallel_tool_calls is not False, asked=asked)


def only(functions: list[Function], name: str) -> list[Function]:
    """The function of that name. Raises `Problem` when there is none."""
    found = [function for function in functions if function.name == name]
    if not found:
        text = f"Invalid value for 'tool_choice': no function named '{name}' was specified in 'tools'."
        raise Problem(400, text, param="tool_choice")
    return found


def _wanted(choice: str | dict[str, Any] | None) -> str:
    if not isinstance(choice, dict):
        return ""
    function = choice.get("function")
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _inputs(value: str | list[Any] | None, param: str) -> tuple[list[str], int, int]:
    """Texts to count, tokens given as numbers, and how many inputs there are."""
    if value is None:
        raise problems.missing(param)
    if isinstance(value, str):
        return [value], 0, 1
    if not value:
        raise problems.empty(param)
    if _all(str, value):
        return value, 0, len(value)
    if _all(int, value):
        return [], len(value), 1
    if _all(list, value) and all(row and _all(int, row) for row in value):
        return [], sum(map(len, value)), len(value)
    raise problems.wrong_type(param, "expected a string, an array of strings, of integers or of arrays of integers")


def _all(kind: type, values: list[Any]) -> bool:
    return all(type(value) is kind for value in values)


def fitting(ask: Ask) -> Ask:
    """The same, unless its texts are so long that counting them is not worth it."""
    chars = sum(map(len, ask.texts))
    if chars > ask.model.context * _CHARS_PER_TOKEN * max(1, ask.inputs):
        raise problems.too_long(ask.model.context, chars // 4)
    return ask


_WHERE: Final = re.compile(r"^(?P<detail>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_REQUIRED: Final = re.compile(r"missing required field `(?P<field>[^`]*)`")


def explained(text: str) -> Problem:
    """OpenAI's words for what the decoder found."""
    match = _WHERE.match(text)
    detail, path = (match["detail"], match["path"] or "") if match else (text, "")
    required = _REQUIRED.search(detail)
    if required:
        return problems.missing(f"{path}.{required['field']}".lstrip("."))
    detail = detail.replace("`", "").replace("Expected", "expected").replace(" | null", "").replace(" | ", " or ")
    if not path:
        return Problem(400, f"Invalid body: {detail}.")
    return problems.wrong_type(path, f"{detail} instead")
