"""OpenAI's dialect."""

from collections.abc import Mapping
from typing import Final

from tidegate.twin import embeddings, headers, problems
from tidegate.twin.answers import Answer
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.dialect import Script
from tidegate.twin.faults import Told
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.problems import Problem
from tidegate.twin.requests import Parser
from tidegate.twin.responses_requests import ResponseParser
from tidegate.twin.responses_script import ResponseScript
from tidegate.twin.scripts import Embedded
from tidegate.twin.scripts import Script as ChatScript
from tidegate.twin.settings import Model
from tidegate.wire.exchange import Exchange

CHAT: Final = "/chat/completions"
TEXT: Final = "/completions"
EMBEDDING: Final = "/embeddings"
RESPONSES: Final = "/responses"
_BEARER: Final = b"bearer "


class OpenAI:
    """Chats, texts and embeddings; and what others who speak it have in common."""

    name: str = "openai"
    scope: str = ""
    prefix: str = "/openai/v1"
    faults: Mapping[str, Told] = {}
    thinks_aloud: bool = False

    def __init__(self, models: tuple[Model, ...]) -> None:
        parser = Parser(models)
        self._parsers = {
            CHAT: parser.chat,
            TEXT: parser.text,
            EMBEDDING: parser.embedding,
            RESPONSES: ResponseParser(models).response,
        }

    def endpoint(self, exchange: Exchange) -> str:
        """What stands behind the prefix."""
        path = exchange.path.decode("latin-1")
        if not path.startswith(self.prefix + "/"):
            raise problems.unknown_url(exchange.method.decode("latin-1"), path)
        return path[len(self.prefix) :]

    def key(self, exchange: Exchange) -> str:
        """See `Dialect`."""
        return bearer(exchange)

    def stranger(self, key: str) -> Problem:
        """See `Dialect`."""
        return problems.unknown_key(key) if key else problems.missing_key()

    def ask(self, exchange: Exchange, endpoint: str) -> Ask | None:
        """See `Dialect`."""
        parse = self._parsers.get(endpoint)
        return parse(exchange.body, self.model(exchange)) if parse is not None and exchange.method == b"POST" else None

    def model(self, exchange: Exchange) -> str:
        """The model that a path names; empty where the body does."""
        return ""

    def script(self, call: Call, ask: Ask, answer: Answer, created: int) -> Script:
        """See `Dialect`."""
        if ask.model.kind == "embedding":
            return Embedded(
                embeddings.unary(
                    ask.texts, ask.inputs, ask.dimensions, call.model, call.prompt_tokens, base64=ask.base64
                )
            )
        if call.path.endswith(RESPONSES):
            return ResponseScript(call, ask, answer, created)
        if call.path.endswith(CHAT):
            return self.chat(call, ask, answer, created)
        name = b"cmpl-%b" % call.request_id[4:].encode()
        return ChatScript(
            answer, name, created, call.model, call.prompt_tokens, chat=False, include_usage=ask.include_usage,
            cached_tokens=call.cached_tokens,
        )  # fmt: skip

    def chat(self, call: Call, ask: Ask, answer: Answer, created: int) -> Script:
        """An answer to a chat."""
        name = b"chatcmpl-%b" % call.request_id[4:].encode()
        return ChatScript(
            answer, name, created, call.model, call.prompt_tokens, chat=True, include_usage=ask.include_usage,
            cached_tokens=call.cached_tokens, thinks_aloud=self.thinks_aloud,
        )  # fmt: skip

    def identity(self, call: Call, took_ms: int) -> bytes:
        """See `Dialect`."""
        return headers.identity(call.request_id, call.organisation or "none", took_ms)

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """See `Dialect`."""
        return headers.limits(quota, now, refusal)

    def retry(self, refusal: Refusal) -> bytes:
        """See `Dialect`."""
        return headers.retry(refusal)

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """See `Dialect`."""
        return problems.limited(refusal, call.model, call.organisation)

    def error(self, problem: Problem, request_id: str) -> bytes:
        """See `Dialect`."""
        return problem.body


def bearer(exchange: Exchange) -> str:
    """The key of `Authorization: Bearer …`; empty without."""
    value = exchange.header(b"authorization") or b""
    return value[len(_BEARER) :].strip().decode("latin-1") if value[: len(_BEARER)].lower() == _BEARER else ""
