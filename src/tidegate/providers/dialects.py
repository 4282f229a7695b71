"""The makers' dialects and the codecs of their operations, by name and by kind."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers import partial
from tidegate.providers.anthropic import answer, request
from tidegate.providers.anthropic.stream import MessageTap
from tidegate.providers.codec import Asked, Codec, Dialect, Said
from tidegate.providers.openai import answer as completion
from tidegate.providers.openai import request as completion_request
from tidegate.providers.openai.stream import StreamTap
from tidegate.providers.responses import answer as responses
from tidegate.providers.responses import request as response_request
from tidegate.providers.responses.stream import ResponseTap

_encode = msgspec.json.Encoder().encode

OPENAI: Final = "openai"
ANTHROPIC: Final = "anthropic"


class _OpenAI:
    """Errors as OpenAI and those who follow it say them."""

    __slots__ = ()
    name: Final = OPENAI

    def error_of(self, body: bytes) -> Said:
        said = completion.error_of(body)
        return said if said.message or said.code else responses.error_of(body)

    def is_error_body(self, body: bytes) -> bool:
        return completion.is_error_body(body)

    def error_body(self, status: int, error: Said, param: str = "") -> bytes:
        return completion.error_body(error, param)

    def error_event(self, error: Said, last: bytes = b"", usage: Usage | None = None) -> bytes:
        return self.raw_event(completion.error_body(error), usage)

    def raw_event(self, error: bytes, usage: Usage | None = None) -> bytes:
        if usage is not None:
            error = partial.within(error, partial.chat(usage))
        return b"data: %b\n\n" % error.replace(b"\n", b"\ndata: ")

    def restart_event(self, why: str) -> bytes:
        told = {"object": "tidegate.restart", "type": "tidegate.restart", "choices": [], "message": why}
        return b"data: %b\n\n" % _encode(told)


REVOKED: Final = "invalid_api_key"  # of a stream whose client's key was revoked


class _Anthropic:
    """Errors as Anthropic says them: the status and the message alone count."""

    __slots__ = ()
    name: Final = ANTHROPIC

    def error_of(self, body: bytes) -> Said:
        return answer.error_of(body)

    def is_error_body(self, body: bytes) -> bool:
        return answer.is_error_body(body)

    def error_body(self, status: int, error: Said, param: str = "") -> bytes:
        return answer.error_body(status, error)

    def error_event(self, error: Said, last: bytes = b"", usage: Usage | None = None) -> bytes:
        return self.raw_event(answer.error_body(401 if error.code == REVOKED else 500, error), usage)

    def raw_event(self, error: bytes, usage: Usage | None = None) -> bytes:
        if usage is not None:
            error = partial.within(error, partial.messages(usage))
        return b"event: error\ndata: %b\n\n" % error.replace(b"\n", b"\ndata: ")

    def restart_event(self, why: str) -> bytes:
        return b"event: tidegate_restart\ndata: %b\n\n" % _encode({"type": "tidegate_restart", "message": why})


_OPENAI = _OpenAI()
_ANTHROPIC = _Anthropic()


class _Completions:
    """Chat completions, and what OpenAI made like them."""

    __slots__ = ("kind", "path")
    dialect: Final = OPENAI
    says: Final = _OPENAI

    def __init__(self, kind: Kind, path: bytes) -> None:
        self.kind = kind
        self.path = path

    def read(self, body: bytes) -> Asked:
        return completion_request.read(self.kind, body)

    def with_model(self, body: bytes, model: str) -> bytes:
        return completion_request.with_model(body, model)

    def with_output(self, body: bytes, tokens: int) -> bytes:
        return completion_request.with_output(body, tokens)

    def with_usage(self, body: bytes) -> bytes:
        return completion_request.with_usage(body)

    def usage_of(self, answer: bytes) -> Usage | None:
        return completion.usage_of(answer)

    def failure_of(self, answer: bytes) -> Said | None:
        return completion.failure_of(answer)

    def tap(self, *, keep_usage: bool) -> StreamTap:
        return StreamTap(keep_usage=keep_usage)


class _Messages:
    """Anthropic's messages, and the counting of their tokens."""

    __slots__ = ("kind", "path")
    dialect: Final = ANTHROPIC
    says: Final = _ANTHROPIC

    def __init__(self, kind: Kind, path: bytes) -> None:
        self.kind = kind
        self.path = path

    def read(self, body: bytes) -> Asked:
        return request.read(self.kind, body)

    def with_model(self, body: bytes, model: str) -> bytes:
        return request.with_model(body, model)

    def with_output(self, body: bytes, tokens: int) -> bytes:
        return request.with_output(body, tokens)

    def with_usage(self, body: bytes) -> bytes:
        return body  # its streams always tell

    def usage_of(self, answer_body: bytes) -> Usage | None:
        return answer.usage_of(answer_body)

    def failure_of(self, answer_body: bytes) -> Said | None:
        return answer.failure_of(answer_body)

    def tap(self, *, keep_usage: bool) -> MessageTap:
        return MessageTap()


class _ResponseEvents:
    """How a stream of the Responses API says errors: by the name of the event."""

    __slots__ = ()

    def error_event(self, error: Said, last: bytes = b"", usage: Usage | None = None) -> bytes:
        return responses.error_event(error, responses.after(last), usage)

    def raw_event(self, error: bytes, usage: Usage | None = None) -> bytes:
        return responses.raw_event(error, usage)

    def restart_event(self, why: str) -> bytes:
        return b"event: tidegate.restart\ndata: %b\n\n" % _encode({"type": "tidegate.restart", "message": why})


class _Responses:
    """OpenAI's Responses API."""

    __slots__ = ()
    dialect: Final = OPENAI
    path: Final = b"/responses"
    says: Final = _ResponseEvents()

    def read(self, body: bytes) -> Asked:
        return response_request.read(body)

    def with_model(self, body: bytes, model: str) -> bytes:
        return response_request.with_model(body, model)

    def with_output(self, body: bytes, tokens: int) -> bytes:
        return response_request.with_output(body, tokens)

    def with_usage(self, body: bytes) -> bytes:
        return body  # its streams always tell

    def usage_of(self, answer: bytes) -> Usage | None:
        return responses.usage_of(answer)

    def failure_of(self, answer: bytes) -> Said | None:
        return responses.failure_of(answer)

    def tap(self, *, keep_usage: bool) -> ResponseTap:
        return ResponseTap()


DIALECTS: Final[Mapping[str, Dialect]] = {OPENAI: _OPENAI, ANTHROPIC: _ANTHROPIC}
CODECS: Final[Mapping[Kind, Codec]] = {
    Kind.CHAT: _Completions(Kind.CHAT, b"/chat/completions"),
    Kind.COMPLETION: _Completions(Kind.COMPLETION, b"/completions"),
    Kind.EMBEDDING: _Completions(Kind.EMBEDDING, b"/embeddings"),
    Kind.RESPONSES: _Responses(),
    Kind.MESSAGES: _Messages(Kind.MESSAGES, b"/messages"),
    Kind.COUNT: _Messages(Kind.COUNT, b"/messages/count_tokens"),
}
