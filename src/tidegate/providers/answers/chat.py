"""Chat completions: a whole answer as the chunks of a stream, and a finished stream as a whole answer.

A choice opens with its role, thoughts and text follow in pieces, then calls one after another, then why it ended. What
some providers say beyond the reference is told in one piece. Source: OpenAI's API reference of chat completions and of
their chunks.
"""

from typing import Final

from tidegate.providers.answers.chunks import Events, beside, gathered, note, written
from tidegate.providers.answers.fields import Fields, object_of, objects_of, text_of
from tidegate.providers.answers.growing import grow, grown
from tidegate.providers.answers.pieces import by_tokens, pieces

_CHUNK: Final = "chat.completion.chunk"
_WHOLE: Final = "chat.completion"
_CHOICE: Final = frozenset({"index", "message", "delta", "logprobs", "finish_reason"})
_THOUGHTS: Final = ("reasoning_content", "reasoning")
_TEXTS: Final = ("content", "refusal")
_CALLS: Final = ("tool_calls", "function_call")
_ORDERED: Final = frozenset({"role", *_THOUGHTS, *_TEXTS, *_CALLS})
_ARGUED: Final = {"function": "arguments", "custom": "input"}  # the text that grows in a call, by the call's type


def to_chunks(whole: Fields, *, usage: bool) -> Events:
    """The events. Raises `ValueError` when it is no chat completion."""
    return written(whole, _CHUNK, _said, usage=usage)


def whole_of(events: bytes) -> Fields:
    """The chat completion. Raises `Cut` when the stream is not finished, else `ValueError` when it is none."""
    return gathered(events, _WHOLE, _Choice)


def _said(choice: Fields, index: int) -> list[Fields]:
    """What the chunks of one choice say."""
    message = object_of(choice.get("message"), "message")
    stated = choice.get("logprobs")
    logprobs = stated if isinstance(stated, dict) else {}
    silent = {"logprobs": None} if "logprobs" in choice else {}
    begun = {"logprobs": {name: _nothing(value) for name, value in logprobs.items()}} if logprobs else silent
    told: list[Fields] = [{"index": index, "delta": _opening(message), **begun, "finish_reason": None}]
    for delta, tokens in _deltas(message, logprobs):
        known = {"logprobs": dict.fromkeys(logprobs) | tokens} if tokens else silent
        told.append({"index": index, "delta": delta, **known, "finish_reason": None})
    end = {"finish_reason": choice.get("finish_reason"), **beside(choice, _CHOICE)}
    return [*told, {"index": index, "delta": {}, **silent, **end}]


def _opening(message: Fields) -> Fields:
    """The role, and what is null or empty of all the rest."""
    stated = {
        name: _nothing(value) if name in _TEXTS else value
        for name, value in message.items()
        if name in _TEXTS or not value
    }
    return {**stated, "role": message.get("role") or "assistant"}


def _nothing(value: object) -> object:
    return "" if isinstance(value, str) else [] if isinstance(value, list) else None


def _deltas(message: Fields, logprobs: Fields) -> list[tuple[Fields, Fields]]:
    """What each chunk adds, with the log-probabilities of its tokens."""
    deltas: list[tuple[Fields, Fields]] = []
    for name in _THOUGHTS:
        deltas += [({name: piece}, {}) for piece in pieces(text_of(message.get(name)))]
    for name in _TEXTS:
        tokens, text = objects_of(logprobs.get(name), "logprobs"), text_of(message.get(name))
        if tokens:
            deltas += [({name: piece}, {name: told}) for piece, told in by_tokens(text, tokens)]
        else:
            deltas += [({name: piece}, {}) for piece in pieces(text)]
    deltas += [(delta, {}) for delta in _called(message)]
    rest = {name: value for name, value in message.items() if name not in _ORDERED and value}
    if isinstance(message.get("content"), list):
        rest["content"] = message["content"]
    blocks = rest.get("thinking_blocks")
    if isinstance(blocks, list):
        rest["thinking_blocks"] = [{"index": at, **object_of(block, "block")} for at, block in enumerate(blocks)]
    return [*deltas, (rest, {})] if rest else deltas


def _called(message: Fields) -> list[Fields]:
    """A call says first what it is, then its arguments."""
    deltas: list[Fields] = []
    for index, call in enumerate(objects_of(message.get("tool_calls"), "tool_calls")):
        kind = text_of(call.get("type")) or "function"
        field, inner = _ARGUED.get(kind), call.get(kind)
        if field is None or not isinstance(inner, dict):
            deltas.append({"tool_calls": [{"index": index, **call}]})
            continue
        deltas.append({"tool_calls": [{"index": index, **call, kind: inner | {field: ""}}]})
        said = pieces(text_of(inner.get(field)))
        deltas += [{"tool_calls": [{"index": index, kind: {field: piece}}]} for piece in said]
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        deltas.append({"function_call": legacy | {"arguments": ""}})
        deltas += [{"function_call": {"arguments": piece}} for piece in pieces(text_of(legacy.get("arguments")))]
    return deltas


class _Choice:
    """Fulfils `chunks.Growing`."""

    __slots__ = ("_choice", "_message")

    def __init__(self, index: int) -> None:
        self._message: Fields = {"role": "assistant", "content": None}
        self._choice: Fields = {"index": index, "message": self._message, "finish_reason": None}

    def add(self, part: Fields) -> None:
        delta = part.get("delta")
        if isinstance(delta, dict):
            grow(self._message, delta)
        note(self._choice, part, _CHOICE)

    def whole(self) -> Fields:
        return self._choice | {"message": grown(self._message)}
