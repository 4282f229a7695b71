"""How an answer ended, in words that all makers share, and what it said: what decides whether it is kept.

Sources: the makers' API references; finish reasons of other servers as their references name them (Zhipu `sensitive`,
DeepSeek `insufficient_system_resource`, OpenRouter `error`, Hugging Face `eos_token`, Mistral `model_length`).
"""

from collections.abc import Callable
from typing import Final

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.answers import shapes
from tidegate.providers.answers.fields import Cut, Fields, Unsaid, encode, objects_of, read, text_of
from tidegate.providers.anthropic import answer as anthropic
from tidegate.providers.openai import answer as openai
from tidegate.providers.responses import answer as response

STOP: Final = "stop"
LENGTH: Final = "length"
FILTER: Final = "filter"
TOOLS: Final = "tools"  # it calls tools that the client is to run, whatever reason it gives
REFUSAL: Final = "refusal"
INCOMPLETE: Final = "incomplete"  # paused, cancelled, or for a reason that we do not know
ERROR: Final = "error"  # it tells of an error, or cannot be read
CUT: Final = "cut"  # a stream without its end

_WORST: Final = (ERROR, CUT, LENGTH, FILTER, INCOMPLETE, REFUSAL, TOOLS, STOP)  # of several choices, what counts
_REASONS: Final = {
    "stop": STOP, "eos": STOP, "eos_token": STOP, "stop_sequence": STOP, "end_turn": STOP,
    "length": LENGTH, "max_tokens": LENGTH, "model_length": LENGTH, "model_context_window_exceeded": LENGTH,
    "max_output_tokens": LENGTH, "content_filter": FILTER, "sensitive": FILTER, "safety": FILTER,
    "tool_calls": TOOLS, "function_call": TOOLS, "tool_use": TOOLS, "refusal": REFUSAL, "error": ERROR,
    "network_error": ERROR,
}  # fmt: skip
# Items of a response that wait for the client.
_CLIENTS: Final = frozenset({
    "function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call",
    "mcp_approval_request",
})  # fmt: skip


class Finish:
    """How an answer ended: one of the words above. `text` is what was said, choices by lines, without thoughts."""

    __slots__ = ("ended", "text", "usage")

    def __init__(self, ended: str, text: str = "", usage: Usage | None = None) -> None:
        self.ended = ended
        self.text = text
        self.usage = usage


def finish(kind: Kind, body: bytes, *, streamed: bool) -> Finish:
    """How this answer ended. Never raises: what cannot be read is an error. O(bytes)."""
    try:
        whole = _gathered(kind, body) if streamed else read(body)
        return _JUDGES[kind](whole) if kind in _JUDGES else Finish(INCOMPLETE)
    except Cut:
        return Finish(CUT)
    except (ValueError, RecursionError):
        return Finish(ERROR)


def _gathered(kind: Kind, events: bytes) -> Fields:
    """The answer of a stream; what is not known of it does not change how it ended."""
    try:
        return shapes.gathered(kind, events)
    except Unsaid as partly:
        return partly.whole


def _usage(whole: Fields, read_usage: Callable[[bytes], Usage | None]) -> Usage | None:
    return read_usage(encode({"usage": whole["usage"]})) if whole.get("usage") else None


def _reason(stated: object) -> str:
    return _REASONS.get(text_of(stated).lower(), INCOMPLETE)


def _worst(ends: list[str]) -> str:
    return next((end for end in _WORST if end in ends), ERROR)


def _text(content: object) -> str:
    """A text, or the texts among parts."""
    if not isinstance(content, list):
        return text_of(content)
    return "".join([text_of(part.get("text")) for part in objects_of(content, "content")])


def _chat(whole: Fields) -> Finish:
    ends, texts = [], []
    for choice in objects_of(whole.get("choices"), "choices"):
        message = choice.get("message")
        said = message if isinstance(message, dict) else {}
        refusal, calls = text_of(said.get("refusal")), said.get("tool_calls") or said.get("function_call")
        end = _reason(choice.get("finish_reason"))
        if end == STOP:
            end = TOOLS if calls else REFUSAL if refusal else STOP
        ends.append(end)
        texts.append(_text(said.get("content")) or refusal)
    return Finish(_worst(ends), "\n".join(texts), _usage(whole, openai.usage_of))


def _completion(whole: Fields) -> Finish:
    choices = objects_of(whole.get("choices"), "choices")
    ends = [_reason(choice.get("finish_reason")) for choice in choices]
    text = "\n".join([text_of(choice.get("text")) for choice in choices])
    return Finish(_worst(ends), text, _usage(whole, openai.usage_of))


def _message(whole: Fields) -> Finish:
    blocks = objects_of(whole.get("content"), "content")
    end = _reason(whole.get("stop_reason")) if whole.get("type") == "message" else ERROR
    if end == STOP and any(block.get("type") == "tool_use" for block in blocks):
        end = TOOLS
    text = "".join([text_of(block.get("text")) for block in blocks if block.get("type") == "text"])
    return Finish(end, text, _usage(whole, anthropic.usage_of))


def _response(whole: Fields) -> Finish:
    items, texts, refused = objects_of(whole.get("output"), "output"), list[str](), False
    for item in items:
        for part in objects_of(item.get("content"), "content") if item.get("type") == "message" else ():
            texts.append(text_of(part.get("text")) or text_of(part.get("refusal")))
            refused = refused or part.get("type") == "refusal"
    return Finish(_ended(whole, items, refused=refused), "".join(texts), _usage(whole, response.usage_of))


def _ended(whole: Fields, items: list[Fields], *, refused: bool) -> str:
    status, details = whole.get("status"), whole.get("incomplete_details")
    if status == "incomplete" and isinstance(details, dict):
        return _reason(details.get("reason"))
    if status != "completed":
        return ERROR if status == "failed" or whole.get("error") or not status else INCOMPLETE
    if any(text_of(item.get("type")) in _CLIENTS for item in items):
        return TOOLS
    return REFUSAL if refused else STOP


def _embeddings(whole: Fields) -> Finish:
    """They say nothing; what they are stands in `data`."""
    return Finish(STOP if objects_of(whole.get("data"), "data") else ERROR, "", _usage(whole, openai.usage_of))


_JUDGES: Final = {
    Kind.CHAT: _chat,
    Kind.COMPLETION: _completion,
    Kind.MESSAGES: _message,
    Kind.RESPONSES: _response,
    Kind.EMBEDDING: _embeddings,
}
