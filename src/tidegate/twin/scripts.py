"""An answer in OpenAI's JSON: whole, or as the events of a stream. Pure bytes; no I/O, no clock.

A stream is `opening`, then `pieces` as the units come, then `closing`. With `include_usage` every chunk carries
`"usage":null` and a last one without choices carries the usage, as documented.
"""

from typing import Final

import msgspec

from tidegate.twin.answers import Answer

DONE: Final = b"data: [DONE]\n\n"
_FINGERPRINT: Final = b'"service_tier":"default","system_fingerprint":"fp_twin"'
_quoted = msgspec.json.encode


def usage(prompt: int, completion: int, cached: int = 0) -> bytes:
    """The usage object. `cached` tokens of the prompt were read from the cache."""
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,'
        b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    ) % (prompt, completion, prompt + completion, cached)


class Script:
    """One answer, ready to be spoken, as a chat's or as plain text. `name` is the reply's id, `created` in seconds."""

    __slots__ = (
        "_after",
        "_before",
        "_include_usage",
        "_name",
        "answer",
        "cached_tokens",
        "chat",
        "created",
        "model",
        "prompt_tokens",
    )

    def __init__(
        self,
        answer: Answer,
        name: bytes,
        created: int,
        model: str,
        prompt_tokens: int,
        *,
        chat: bool,
        include_usage: bool = False,
        cached_tokens: int = 0,
    ) -> None:
        self.answer = answer
        self.cached_tokens = cached_tokens
        self.chat = chat
        self.created = created
        self.model = model
        self.prompt_tokens = prompt_tokens
        self._name = name
        self._include_usage = include_usage
        kind = b"chat.completion.chunk" if chat else b"text_completion"
        self._before = b'data: %b,%b,"choices":[' % (self._head(kind), _FINGERPRINT)
        self._after = b'}],"usage":null}\n\n' if include_usage else b"}]}\n\n"

    def unary(self) -> bytes:
        """The whole reply."""
        choices = b",".join([self._choice(index) for index in range(self.answer.n)])
        kind = b"chat.completion" if self.chat else b"text_completion"
        used = self._usage()
        return b'%b,"choices":[%b],"usage":%b,%b}' % (self._head(kind), choices, used, _FINGERPRINT)

    def opening(self) -> bytes:
        """What comes before the first unit: the role of each choice, and the call of a tool."""
        if not self.chat:
            return b""
        delta = b'{"role":"assistant","content":"","refusal":null}'
        if self.answer.tool:
            delta = b'{"role":"assistant","content":null,"tool_calls":[%b]}' % self._called(b"", with_index=True)
        return self._each(b'"delta":%b,"logprobs":null,"finish_reason":null' % delta)

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """The events of units first+1 … last."""
        return b"".join([self._piece(self.answer.piece(*cut)) for cut in self.answer.events(first, last, chunk_tokens)])

    def closing(self) -> bytes:
        """The finish of each choice, the usage if asked for, and the end mark."""
        body = b'"delta":{},"logprobs":null' if self.chat else b'"text":"","logprobs":null'
        end = self._each(b'%b,"finish_reason":"%b"' % (body, self.answer.finish.encode()))
        return b"%b%b%b" % (end, self._usage_event() if self._include_usage else b"", DONE)

    def _usage(self) -> bytes:
        return usage(self.prompt_tokens, self.answer.units * self.answer.n, self.cached_tokens)

    def _head(self, kind: bytes) -> bytes:
        shape = b'{"id":"%b","object":"%b","created":%d,"model":%b'
        return shape % (self._name, kind, self.created, _quoted(self.model))

    def _choice(self, index: int) -> bytes:
        answer, finish = self.answer, self.answer.finish.encode()
        if not self.chat:
            shape = b'{"text":"%b","index":%d,"logprobs":null,"finish_reason":"%b"}'
            return shape % (answer.text, index, finish)
        if answer.tool:
            message = b'{"role":"assistant","content":null,"refusal":null,"tool_calls":[%b]}'
            message %= self._called(answer.text, with_index=False)
        else:
            message = b'{"role":"assistant","content":"%b","refusal":null,"annotations":[]}' % answer.text
        return b'{"index":%d,"message":%b,"logprobs":null,"finish_reason":"%b"}' % (index, message, finish)

    def _called(self, arguments: bytes, *, with_index: bool) -> bytes:
        """The tool call; `index` stands in streams only."""
        shape = b'{%b"id":"call_%b","type":"function","function":{"name":%b,"arguments":%b}}'
        name = self._name.rpartition(b"-")[2]
        return shape % (
            b'"index":0,' if with_index else b"",
            name,
            _quoted(self.answer.tool),
            _quoted(arguments.decode()),
        )

    def _piece(self, text: bytes) -> bytes:
        if not self.chat:
            return self._each(b'"text":"%b","logprobs":null,"finish_reason":null' % text)
        if self.answer.tool:
            # the split may fall inside a character: what is left of it travels as a replacement, never as bad JSON
            argument = _quoted(text.decode("utf-8", "replace"))
            call = b'{"tool_calls":[{"index":0,"function":{"arguments":%b}}]}' % argument
            return self._each(b'"delta":%b,"logprobs":null,"finish_reason":null' % call)
        return self._each(b'"delta":{"content":"%b"},"logprobs":null,"finish_reason":null' % text)

    def _each(self, body: bytes) -> bytes:
        """One event for every choice."""
        before, after = self._before, self._after
        if self.answer.n == 1:
            return b'%b{"index":0,%b%b' % (before, body, after)
        return b"".join([b'%b{"index":%d,%b%b' % (before, index, body, after) for index in range(self.answer.n)])

    def _usage_event(self) -> bytes:
        return b'%b],"usage":%b}\n\n' % (self._before, self._usage())
