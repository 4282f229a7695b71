"""An answer in OpenAI's JSON: whole, or as the events of a stream. Pure bytes; no I/O, no clock.

A stream is `opening`, then `pieces` as the units come, then `closing`. With `include_usage` every chunk carries
`"usage":null` and a last one without choices carries the usage, as documented.
"""

from typing import Final

import msgspec

from tidegate.twin.answers import TEXT, THINKING, TOOL, Answer, Block
from tidegate.twin.dialect import Forms
from tidegate.twin.faults import Rule
from tidegate.twin.problems import error_body

DONE: Final = b"data: [DONE]\n\n"
_FINGERPRINT: Final = b'"service_tier":"default","system_fingerprint":"fp_twin"'
_quoted = msgspec.json.encode


def usage(prompt: int, completion: int, cached: int = 0, thought: int = 0) -> bytes:
    """The usage object. `cached` tokens of the prompt were read from the cache, `thought` are in `completion`."""
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,'
        b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    ) % (prompt, completion, prompt + completion, cached, thought)


def _failure(rule: Rule) -> bytes:
    """As OpenAI tells of it: an event whose data is an error's body."""
    message = rule.message or "The server had an error while processing your request."
    return b"data: %b\n\n" % error_body(message, rule.type or "server_error", None, rule.code)


CHAT_FORMS: Final = Forms(
    broken=b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"cont\n\n',
    content=(b'"delta":{"content":"', b'"text":" '),
    arguments=(b'"function":{"arguments":"',),
    finish=(b'"finish_reason":"',),
    end=(DONE,),
    failure=_failure,
)


class Embedded:
    """A reply that is no answer but is sent as one: its body is known."""

    __slots__ = ("_body",)

    forms: Forms = CHAT_FORMS

    def __init__(self, body: bytes) -> None:
        self._body = body

    def unary(self) -> bytes:
        """The body."""
        return self._body

    def opening(self) -> bytes:
        """Nothing streams."""
        return b""

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """Nothing streams."""
        return b""

    def closing(self) -> bytes:
        """Nothing streams."""
        return b""


class Script:
    """One answer, ready to be spoken, as a chat's or as plain text. `name` is the reply's id, `created` in seconds.

    What was thought is counted and takes its time; it is told (`reasoning_content`) where `thinks_aloud`.
    """

    __slots__ = (
        "_after",
        "_before",
        "_include_usage",
        "_name",
        "_thinks_aloud",
        "answer",
        "cached_tokens",
        "chat",
        "created",
        "model",
        "prompt_tokens",
    )

    forms: Forms = CHAT_FORMS

    def __init__(  # noqa: PLR0913 - what a reply says of itself
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
        thinks_aloud: bool = False,
    ) -> None:
        self.answer = answer
        self.cached_tokens = cached_tokens
        self.chat = chat
        self.created = created
        self.model = model
        self.prompt_tokens = prompt_tokens
        self._name = name
        self._include_usage = include_usage
        self._thinks_aloud = thinks_aloud
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
        """What comes before the first unit: the role of each choice, and the call of a tool that comes first."""
        if not self.chat:
            return b""
        blocks = self.answer.blocks
        content = b'""' if not blocks or blocks[0].kind != TOOL else b"null"
        calls = b',"tool_calls":[%b]' % self._called(0, b'""', with_index=True) if content == b"null" else b""
        delta = b'{"role":"assistant","content":%b%b,"refusal":null}' % (content, calls)
        return self._each(b'"delta":%b,"logprobs":null,"finish_reason":null' % delta)

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """The events of units first+1 … last."""
        return b"".join([self._piece(*span) for span in self.answer.spans(first, last, chunk_tokens)])

    def closing(self) -> bytes:
        """The finish of each choice, the usage if asked for, and the end mark."""
        body = b'"delta":{},"logprobs":null' if self.chat else b'"text":"","logprobs":null'
        end = self._each(b'%b,"finish_reason":"%b"' % (body, self.answer.finish.encode()))
        return b"%b%b%b" % (end, self._usage_event() if self._include_usage else b"", DONE)

    def _usage(self) -> bytes:
        answer = self.answer
        thought = answer.thought() * answer.n
        return usage(self.prompt_tokens, answer.units * answer.n, self.cached_tokens, thought)

    def _head(self, kind: bytes) -> bytes:
        shape = b'{"id":"%b","object":"%b","created":%d,"model":%b'
        return shape % (self._name, kind, self.created, _quoted(self.model))

    def _choice(self, index: int) -> bytes:
        answer, finish = self.answer, self.answer.finish.encode()
        text = b"".join([block.whole() for block in answer.of(TEXT)])
        if not self.chat:
            return b'{"text":"%b","index":%d,"logprobs":null,"finish_reason":"%b"}' % (text, index, finish)
        message = b'{"role":"assistant","content":"%b","refusal":null,"annotations":[]' % text
        if answer.of(TOOL):
            calls = [
                self._called(at, b'"%b"' % block.whole(), with_index=False)
                for at, block in enumerate(answer.blocks)
                if block.kind == TOOL
            ]
            message = b'{"role":"assistant","content":null,"refusal":null,"tool_calls":[%b]' % b",".join(calls)
        thought = answer.of(THINKING) if self._thinks_aloud else []
        aloud = b',"reasoning_content":"%b"' % thought[0].whole() if thought else b""
        shape = b'{"index":%d,"message":%b%b},"logprobs":null,"finish_reason":"%b"}'
        return shape % (index, message, aloud, finish)

    def _called(self, at: int, arguments: bytes, *, with_index: bool) -> bytes:
        """The call of the tool in block `at`; `index` stands in streams only."""
        shape = b'{%b"id":"call_%b%b","type":"function","function":{"name":%b,"arguments":%b}}'
        number = self._number(at)
        return shape % (
            b'"index":%d,' % number if with_index else b"",
            self._name.rpartition(b"-")[2],
            b"_%d" % number if number else b"",
            _quoted(self.answer.blocks[at].name),
            arguments,
        )

    def _number(self, at: int) -> int:
        """Which of the tool calls block `at` is."""
        return sum(block.kind == TOOL for block in self.answer.blocks[:at])

    def _piece(self, index: int, first: int, last: int) -> bytes:
        block = self.answer.blocks[index]
        text = block.piece(first, last)
        if not self.chat:
            return self._each(b'"text":"%b","logprobs":null,"finish_reason":null' % text) if block.kind == TEXT else b""
        if block.kind == TEXT:
            return self._each(b'"delta":{"content":"%b"},"logprobs":null,"finish_reason":null' % text)
        return self._aside(block, index, first, text)

    def _aside(self, block: Block, index: int, first: int, text: bytes) -> bytes:
        """A piece of what is no text."""
        if block.kind == THINKING:
            if not self._thinks_aloud:
                return b""
            return self._each(
                b'"delta":{"content":null,"reasoning_content":"%b"},"logprobs":null,"finish_reason":null' % text
            )
        begun = b""
        if not first and index:  # the first block's call stands in the opening
            delta = b'{"tool_calls":[%b]}' % self._called(index, b'""', with_index=True)
            begun = self._each(b'"delta":%b,"logprobs":null,"finish_reason":null' % delta)
        call = b'{"tool_calls":[{"index":%d,"function":{"arguments":"%b"}}]}' % (self._number(index), text)
        return begun + self._each(b'"delta":%b,"logprobs":null,"finish_reason":null' % call)

    def _each(self, body: bytes) -> bytes:
        """One event for every choice."""
        before, after = self._before, self._after
        if self.answer.n == 1:
            return b'%b{"index":0,%b%b' % (before, body, after)
        return b"".join([b'%b{"index":%d,%b%b' % (before, index, body, after) for index in range(self.answer.n)])

    def _usage_event(self) -> bytes:
        return b'%b],"usage":%b}\n\n' % (self._before, self._usage())
