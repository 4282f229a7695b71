"""What came of one question: read from the gate's reply, whole or streamed, in the form of chat completions."""

from typing import Any, Final, NamedTuple

import msgspec

MOST: Final = 262_144  # characters of an answer that are looked at


class ToolCall(NamedTuple):
    """A call of a tool; its arguments are JSON, or should be."""

    name: str
    arguments: str


class Told(NamedTuple):
    """One answer, or why there is none (`problem`)."""

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    finish: str = ""
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    target: str = ""  # provider/scope/model that answered
    dropped: tuple[str, ...] = ()  # fields that its dialect cannot say
    problem: str = ""
    asked: bool = True  # False: nobody was, for the gate's own quota or the gate itself stood in the way
    call: str = ""  # the call's id

    @property
    def tokens(self) -> int:
        """Of prompt and answer."""
        return self.prompt_tokens + self.completion_tokens


class _Function(msgspec.Struct):
    name: str | None = ""
    arguments: str | None = ""


class _Tool(msgspec.Struct):
    function: _Function | None = None
    index: int = 0


class _Message(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Tool] | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Body(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_DECODER: Final = msgspec.json.Decoder(_Body)


def whole(body: bytes) -> Told:
    """A complete answer."""
    try:
        found = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Told(problem="the answer is no answer of a chat")
    if found.error is not None or not found.choices or found.choices[0].message is None:
        return Told(problem=f"the answer is none: {error_of(body)}")
    choice, usage = found.choices[0], found.usage or _Usage()
    message = choice.message or _Message()
    calls = [one.function or _Function() for one in message.tool_calls or ()]
    return Told(
        (message.content or "")[:MOST],
        tuple(ToolCall(one.name or "", one.arguments or "") for one in calls),
        choice.finish_reason or "",
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )


def streamed(body: bytes) -> Told:
    """A whole stream of events. O(bytes)."""
    texts: list[str] = []
    tools: dict[int, list[str]] = {}
    finish, usage, done = "", _Usage(), False
    for line in body.split(b"\n"):
        data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        if not data:
            continue
        if data == b"[DONE]":
            done = True
            break
        try:
            found = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Told(problem="an event of the stream cannot be read")
        if found.error is not None:
            return Told(problem=f"the stream ended in an error: {error_of(data)}")
        usage = found.usage or usage
        if found.choices:
            finish = found.choices[0].finish_reason or finish
            _gather(found.choices[0].delta or _Message(), texts, tools)
    if not done:
        return Told("".join(texts)[:MOST], problem="the stream was cut")
    calls = tuple(ToolCall(*tools[index]) for index in sorted(tools))
    return Told("".join(texts)[:MOST], calls, finish, 0.0, usage.prompt_tokens, usage.completion_tokens)


def _gather(delta: _Message, texts: list[str], tools: dict[int, list[str]]) -> None:
    if delta.content:
        texts.append(delta.content)
    for one in delta.tool_calls or ():
        parts = tools.setdefault(one.index, ["", ""])
        function = one.function or _Function()
        parts[0] += function.name or ""
        parts[1] += function.arguments or ""


def error_of(body: bytes) -> str:
    """The message of a refusal, bounded; never more of a body that is none."""
    try:
        said = msgspec.json.decode(body)
        error = said["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:300]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return "it cannot be read"
