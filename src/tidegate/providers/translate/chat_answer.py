"""An answer of Anthropic's messages as a chat completion."""

import msgspec

from tidegate.providers.translate.absent import has
from tidegate.providers.translate.reading import read_answer
from tidegate.providers.translate.tables import FINISH_OF_STOP
from tidegate.providers.translate.usage import tier_of, to_chat
from tidegate.providers.translate.words_chat import (
    Answered,
    Called,
    Choice,
    Completion,
    ThinkingBlock,
    ToolCall,
)
from tidegate.providers.translate.words_messages import Answer, Block

_decode = msgspec.json.Decoder(Answer).decode
_encode = msgspec.json.Encoder().encode


def completion_id(ident: str) -> str:
    """`msg_1` is `chatcmpl-1`."""
    return "chatcmpl-" + ident.removeprefix("msg_")


def finish_of(stop: str | None, called: bool) -> str:
    """The reason to finish. `called`: a tool of the client's is called, not the one that a wanted JSON fills in."""
    finish = FINISH_OF_STOP.get(stop or "", "stop")
    return "stop" if finish == "tool_calls" and not called else finish


def thought_of(block: Block) -> ThinkingBlock | None:
    """A thinking block as the client may give it back; None for every other block."""
    if block.type == "thinking":
        return ThinkingBlock(block.type, thinking=block.thinking or "", signature=block.signature)
    if block.type == "redacted_thinking":
        return ThinkingBlock(block.type, data=block.data)
    return None


def completion_of(body: bytes, created: int, json_tool: str) -> bytes:
    """The chat completion. `json_tool`: calls of it are the answer's text. Raises `ValueError`. O(bytes)."""
    answer = read_answer(_decode, body)
    if answer.type != "message":
        raise ValueError(f"an answer of type {answer.type[:32]!r} is no message")
    message, texts = Answered("assistant", None, None), []
    for block in answer.content:
        if block.type == "text":
            texts.append(block.text or "")
        elif block.type == "tool_use" and json_tool and block.name == json_tool:
            texts.append(_input(block))
        elif block.type == "tool_use":
            message.tool_calls.append(ToolCall(block.id or "", "function", Called(block.name or "", _input(block))))
        elif (thought := thought_of(block)) is not None:
            message.thinking_blocks.append(thought)
    message.content = "".join(texts) if texts else None
    message.reasoning_content = "".join(block.thinking or "" for block in message.thinking_blocks) or None
    choice = Choice(0, message, None, finish_of(answer.stop_reason, bool(message.tool_calls)))
    ident, usage = completion_id(answer.id), to_chat(answer.usage)
    whole = Completion(ident, "chat.completion", created, answer.model, [choice], usage, tier_of(answer.usage))
    return _encode(whole)


def _input(block: Block) -> str:
    return bytes(block.input).decode() if has(block.input) else "{}"
