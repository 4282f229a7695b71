"""A request for OpenAI's Responses API as one for chat completions: stateless use.

What needs a store is refused. `metadata` is repeated in the answer and goes no further: chat completions take it only
for what they store.
"""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.reading import Dropped, read_inner, read_request
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_items import ELSEWHERE, Messages
from tidegate.providers.translate.responses_tools import add_tools
from tidegate.providers.translate.responses_words import (
    ChatRequest,
    Format,
    Item,
    Part,
    Request,
    Response,
    Text,
    Tool,
)
from tidegate.providers.translate.unknown import Unknown, Within
from tidegate.providers.translate.words_chat import JsonSchema, Message, ResponseFormat, StreamOptions

_NOTHING = {
    "model": frozenset[bytes](),
    "include": frozenset({b"[]"}),
    "top_logprobs": frozenset({b"0"}),
    "context_management": frozenset({b"[]"}),
    "input.status": frozenset(),
    "input.summary": frozenset(),  # of thoughts, which are carried over by their text, or named as a whole
    "input.encrypted_content": frozenset(),
}
# Of other types an item is left out, or refused, as a whole.
_ITEMS = frozenset({b"", b"null", b'"message"', b'"function_call"', b'"function_call_output"', b'"reasoning"'})
_WITHIN: Within = {"input.content": Part, "input.output": Part, "tools": Tool, "text.format": Format}
_unknown = Unknown(Request, _NOTHING, {Item: _ITEMS}, _WITHIN)
_EMPTY = frozenset({b"", b"null", b'""', b"{}"})
_PLAIN_TEXT = msgspec.Raw(b'{"type":"text"}')
_NO_TOOLS = msgspec.Raw(b"[]")
_NO_METADATA = msgspec.Raw(b"{}")
_AUTO = msgspec.Raw(b'"auto"')
_decode = msgspec.json.Decoder(Request).decode
_decode_format = msgspec.json.Decoder(Format).decode
_encode = msgspec.json.Encoder().encode


def request_of(body: bytes, model: str, created: int, can: ChatCan, dropped: Dropped) -> tuple[bytes, Response]:
    """The same request for `model`, and the response as far as it is known. Raises `Untranslatable`. O(bytes)."""
    asked = read_request(_decode, body)
    _stateless(asked)
    _unknown.drop(body, dropped)
    said = ChatRequest(model=model, messages=_messages(asked, can, dropped))
    said.temperature, said.top_p = asked.temperature, asked.top_p
    if can.max_completion_tokens:
        said.max_completion_tokens = asked.max_output_tokens
    else:
        said.max_tokens = asked.max_output_tokens
    add_tools(asked, said, dropped)
    _form(asked, said)
    _reasoning(asked, said, can, dropped)
    _account(asked, said, dropped)
    return _encode(said), _response(asked, model, created)


def _stateless(asked: Request) -> None:
    """Refuse what lives on what the provider has stored."""
    for name, value, remedy in (
        ("previous_response_id", asked.previous_response_id, "Send the earlier items in 'input'"),
        ("conversation", asked.conversation, "Send its items in 'input'"),
        ("prompt", asked.prompt, "Send its text in 'instructions' and 'input'"),
    ):
        if bytes(value) not in _EMPTY:
            raise Untranslatable(f"'{name}' refers to what is stored, and nothing is. {remedy}, {ELSEWHERE}.", name)
    if asked.store:
        raise Untranslatable(f"'store' must not be true: nothing is stored. Leave it out, {ELSEWHERE}.", "store")
    if asked.background:
        problem = f"'background' must not be true: its result would have to be stored. Leave it out, {ELSEWHERE}."
        raise Untranslatable(problem, "background")


def _messages(asked: Request, can: ChatCan, dropped: Dropped) -> list[Message]:
    messages = Messages(can, dropped)
    if asked.instructions:
        messages.say("system", asked.instructions)
    opening = len(messages)
    if isinstance(asked.input, str):
        messages.say("user", asked.input)
    else:
        for number, item in enumerate(asked.input):
            messages.add(item, f"input[{number}]")
    if len(messages) == opening:
        raise Untranslatable("'input' has nothing to answer. Send a text or at least one message.", "input")
    return messages.all()


def _form(asked: Request, said: ChatRequest) -> None:
    """The form of the text: free, any JSON, or JSON of a schema."""
    if asked.text is None:
        return
    said.verbosity = asked.text.verbosity
    form = read_inner(_decode_format, asked.text.format, "text.format") if has(asked.text.format) else Format()
    if form.type == "json_object":
        said.response_format = ResponseFormat("json_object")
    elif form.type == "json_schema":
        schema = JsonSchema(form.name or "output", description=form.description, strict=form.strict)
        if has(form.schema):
            schema.schema = form.schema
        said.response_format = ResponseFormat("json_schema", schema)
    elif form.type != "text":
        problem = f"The format '{form.type[:64]}' is not known. Use text, json_object or json_schema."
        raise Untranslatable(problem, "text.format.type")


def _reasoning(asked: Request, said: ChatRequest, can: ChatCan, dropped: Dropped) -> None:
    wanted = asked.reasoning
    if wanted is None:
        return
    if can.reasoning_effort:
        said.reasoning_effort = wanted.effort
    elif wanted.effort is not None:
        dropped.add("reasoning.effort")
    for name in ("summary", "generate_summary", "context", "mode"):
        if has(getattr(wanted, name)):
            dropped.add(f"reasoning.{name}")


def _account(asked: Request, said: ChatRequest, dropped: Dropped) -> None:
    said.user, said.safety_identifier, said.service_tier = asked.user, asked.safety_identifier, asked.service_tier
    said.prompt_cache_key, said.prompt_cache_retention = asked.prompt_cache_key, asked.prompt_cache_retention
    if asked.truncation is not None and asked.truncation != "disabled":
        dropped.add("truncation")
    if asked.stream:
        said.stream, said.stream_options = True, StreamOptions(include_usage=True)
        if asked.stream_options is not None and asked.stream_options.include_obfuscation:
            dropped.add("stream_options.include_obfuscation")


def _one_line(value: msgspec.Raw, default: msgspec.Raw) -> msgspec.Raw:
    """As the client wrote it, but in one line, as an event needs it. Line ends in JSON are between its words."""
    if not has(value):
        return default
    text = bytes(value)
    return msgspec.Raw(text.replace(b"\n", b" ").replace(b"\r", b" ")) if b"\n" in text or b"\r" in text else value


def _response(asked: Request, model: str, created: int) -> Response:
    """What was asked, as the response repeats it; the API's defaults for what was not."""
    form = asked.text or Text()
    text: dict[str, msgspec.Raw | str] = {"format": _one_line(form.format, _PLAIN_TEXT)}
    if form.verbosity is not None:
        text["verbosity"] = form.verbosity
    return Response(
        created_at=created,
        model=model,
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        temperature=1.0 if asked.temperature is None else asked.temperature,
        top_p=1.0 if asked.top_p is None else asked.top_p,
        text=text,
        reasoning={"effort": None if asked.reasoning is None else asked.reasoning.effort, "summary": None},
        tools=_one_line(asked.tools, _NO_TOOLS),
        tool_choice=_one_line(asked.tool_choice, _AUTO),
        metadata=_one_line(asked.metadata, _NO_METADATA),
        instructions=asked.instructions or None,
        max_output_tokens=asked.max_output_tokens,
        prompt_cache_key=asked.prompt_cache_key,
        safety_identifier=asked.safety_identifier,
        user=asked.user,
    )
