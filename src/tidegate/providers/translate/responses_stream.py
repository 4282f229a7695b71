"""Answers of chat completions as responses, streamed and whole: a whole answer is a stream of one piece.

The end is said at `[DONE]`, when the usage is known; a stream that is cut before has none. What was said is kept for
the complete response that ends a stream, and bounded.
"""

import re
from collections.abc import Iterable

import msgspec

from tidegate.providers.translate.events import payloads
from tidegate.providers.translate.reading import read_answer
from tidegate.providers.translate.responses_output import Output, Script
from tidegate.providers.translate.responses_words import Chunk, InputDetails, OutputDetails, Response, Usage
from tidegate.providers.translate.words_chat import (
    CalledDelta,
    CompletionDetails,
    Delta,
    PromptDetails,
    ReadCompletion,
    ReadMessage,
    StatedUsage,
    ToolCall,
    ToolCallDelta,
)

MOST_KEPT = 8_388_608  # bytes; as long as the longest event

_decode = msgspec.json.Decoder(Chunk).decode
_decode_whole = msgspec.json.Decoder(ReadCompletion).decode
_encode = msgspec.json.Encoder().encode
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_ID = 128  # characters


class ResponseStream:
    """Feed it whole chunks of chat completions; whole events come back."""

    __slots__ = ("_ended", "_finish", "_output", "_response", "_script", "_usage")

    def __init__(self, response: Response) -> None:
        """`response` is what is known before the answer."""
        self._response = response
        self._script = Script()
        self._output: Output | None = None  # until the first chunk
        self._finish = ""
        self._usage: StatedUsage | None = None
        self._ended = False

    def feed(self, events: bytes) -> bytes:
        """Whole events in, whole events out. Raises `ValueError` for what is no chunk, or too long. O(bytes)."""
        for data in payloads(events):
            if self._ended:
                break
            if data == b"[DONE]":
                self._end()
            else:
                self._chunk(read_answer(_decode, data))
        return self._script.take()

    def _chunk(self, chunk: Chunk) -> None:
        output = self._output
        if output is None:
            output = self._begin(chunk)
        if chunk.usage is not None:
            self._usage = chunk.usage
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            if choice.delta is not None:
                _add(output, choice.delta)
            if choice.finish_reason:
                self._finish = choice.finish_reason
        if output.size > MOST_KEPT:
            raise ValueError("the answer is longer than 8 MiB, and a response must be kept until its end")

    def _begin(self, chunk: Chunk) -> Output:
        self._response, base = _begun(self._response, chunk.id, chunk.model, chunk.service_tier)
        told = b'"response":' + _encode(self._response)
        self._script.say(b"response.created", told)
        self._script.say(b"response.in_progress", told)
        self._output = Output(base, self._script)
        return self._output

    def _end(self) -> None:
        output = self._output
        if output is None:
            raise ValueError("the stream ends before it begins")
        self._ended = True
        response = _ended(self._response, output, self._finish, self._usage)
        self._output = None
        self._script.say(b"response." + response.status.encode(), b'"response":' + _encode(response))


def response_of(body: bytes, response: Response) -> bytes:
    """The complete response. Raises `ValueError` when `body` is no chat completion. O(bytes)."""
    whole = read_answer(_decode_whole, body)
    choice = next((choice for choice in whole.choices if choice.index == 0), None)
    if choice is None:
        raise ValueError("a chat completion without a choice")
    response, base = _begun(response, whole.id, whole.model, whole.service_tier)
    output = Output(base, Script())
    _add(output, _as_delta(choice.message))
    return _encode(_ended(response, output, choice.finish_reason or "", whole.usage))


def _begun(response: Response, ident: str | None, model: str | None, tier: str | None) -> tuple[Response, str]:
    """The response under its id, which is the chat completion's; and the part that its items' ids share."""
    base = _NOT_IN_AN_ID.sub("_", (ident or "").removeprefix("chatcmpl-"))[:_LONGEST_ID] or str(response.created_at)
    model = model or response.model
    return msgspec.structs.replace(response, id=f"resp_{base}", model=model, service_tier=tier), base


def _ended(response: Response, output: Output, finish: str, usage: StatedUsage | None) -> Response:
    reason = _INCOMPLETE.get(finish)
    return msgspec.structs.replace(
        response,
        status="completed" if reason is None else "incomplete",
        incomplete_details=None if reason is None else {"reason": reason},
        output=output.close(cut=reason is not None),
        usage=_usage(usage),
    )


def _add(output: Output, delta: Delta) -> None:
    thought = delta.reasoning_content or delta.reasoning
    if thought:
        output.thought(thought)
    if delta.content:
        output.text(delta.content)
    if delta.refusal:
        output.refusal(delta.refusal)
    if delta.tool_calls:
        for position, call in enumerate(delta.tool_calls):
            output.call(call, position)


def _as_delta(message: ReadMessage) -> Delta:
    content = message.content
    text = content if isinstance(content, str) else "".join(part.text or "" for part in content or ())
    thought = message.reasoning_content or message.reasoning
    return Delta(text, message.refusal, thought, tool_calls=_as_deltas(message.tool_calls or ()))


def _as_deltas(calls: Iterable[ToolCall]) -> list[ToolCallDelta]:
    deltas = []
    for position, call in enumerate(calls):
        if call.function is None:
            raise ValueError("a call of what is no function")
        called = CalledDelta(call.function.name, call.function.arguments)
        deltas.append(ToolCallDelta(position, call.id, called))
    return deltas


def _usage(usage: StatedUsage | None) -> Usage | None:
    """None where the provider states none."""
    if usage is None or usage.prompt_tokens is None:
        return None
    prompt, completion = usage.prompt_tokens, usage.completion_tokens or 0
    cache = usage.prompt_tokens_details or PromptDetails()
    thought = usage.completion_tokens_details or CompletionDetails()
    return Usage(
        prompt,
        InputDetails(cache.cached_tokens or 0, cache.cache_write_tokens or 0),
        completion,
        OutputDetails(thought.reasoning_tokens or 0),
        prompt + completion,
    )
