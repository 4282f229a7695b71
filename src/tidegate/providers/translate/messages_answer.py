"""A chat completion as an answer of Anthropic's messages."""

import msgspec

from tidegate.providers.translate.reading import arguments_of, read_answer
from tidegate.providers.translate.tables import STOP_OF_FINISH
from tidegate.providers.translate.usage import to_messages
from tidegate.providers.translate.words_chat import Part, ReadCompletion, ReadMessage, ToolCall
from tidegate.providers.translate.words_messages import Answer, Block

_decode = msgspec.json.Decoder(ReadCompletion).decode
_encode = msgspec.json.Encoder().encode


def message_id(ident: str | None) -> str:
    """`chatcmpl-1` is `msg_1`."""
    return "msg_" + (ident or "").removeprefix("chatcmpl-")


def call_id(ident: str | None, message: str, number: int) -> str:
    """The id of a call; some providers give none."""
    return ident or f"toolu_{message.removeprefix('msg_')}_{number}"


def stop_of(finish: str | None, *, called: bool, refused: bool) -> str:
    """The reason to stop. Some providers end a call with "stop", and a refusal always ends so."""
    stop = STOP_OF_FINISH.get(finish or "", "end_turn")
    if stop == "end_turn":
        return "tool_use" if called else "refusal" if refused else stop
    return stop


def met(found: str | int | None, stops: tuple[str, ...]) -> str | None:
    """The stop sequence that was met, where the provider says it."""
    return found if isinstance(found, str) and found in stops else None


def message_of(body: bytes, stops: tuple[str, ...], *, thoughts: bool) -> bytes:
    """The message; its thoughts where `thoughts` are wanted. Raises `ValueError`. O(bytes)."""
    completion = read_answer(_decode, body)
    choice = next((choice for choice in completion.choices if choice.index == 0), None)
    if choice is None:
        raise ValueError("a chat completion without a choice")
    ident = message_id(completion.id)
    blocks = _thoughts(choice.message) if thoughts else []
    blocks += [Block(type="text", text=text) for text in (_text(choice.message), choice.message.refusal) if text]
    calls = [_call(call, ident, number) for number, call in enumerate(choice.message.tool_calls or ())]
    stop = stop_of(choice.finish_reason, called=bool(calls), refused=bool(choice.message.refusal))
    sequence = met(choice.stop_reason, stops)
    answer = Answer("message", blocks + calls, ident, model=completion.model or "", stop_sequence=sequence)
    answer.stop_reason = "stop_sequence" if sequence is not None and stop == "end_turn" else stop
    answer.usage = to_messages(completion.usage)
    return _encode(answer)


def _text(message: ReadMessage) -> str:
    content: str | list[Part] = message.content or ""
    return content if isinstance(content, str) else "".join(part.text or "" for part in content)


def _thoughts(message: ReadMessage) -> list[Block]:
    """Thoughts with their seals where the provider gave them; else the text, unsealed."""
    sealed = message.thinking_blocks or ()
    if sealed:
        return [Block(type=one.type, thinking=one.thinking, signature=one.signature, data=one.data) for one in sealed]
    text = message.reasoning_content or message.reasoning
    return [Block(type="thinking", thinking=text, signature="")] if text else []


def _call(call: ToolCall, message: str, number: int) -> Block:
    name, text = (call.function.name, call.function.arguments) if call.function is not None else ("", "")
    given = arguments_of(text)
    if given is None:
        given = msgspec.Raw(_encode({"invalid_json": text}))
    return Block(type="tool_use", id=call_id(call.id, message, number), name=name, input=given)
