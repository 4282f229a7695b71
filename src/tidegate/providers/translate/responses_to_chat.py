"""Clients of OpenAI's Responses API, served by providers of chat completions."""

from tidegate.providers.translate.face import Crossed
from tidegate.providers.translate.models import chat_can
from tidegate.providers.translate.reading import Dropped
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_request import request_of
from tidegate.providers.translate.responses_stream import ResponseStream, response_of
from tidegate.providers.translate.responses_words import Response


class ResponsesReply:
    """The way back: chat completions to responses."""

    __slots__ = ("_response",)

    def __init__(self, response: Response) -> None:
        """`response` is what is known before the answer."""
        self._response = response

    def answer(self, body: bytes) -> bytes:
        return response_of(body, self._response)

    def stream(self) -> ResponseStream:
        return ResponseStream(self._response)


class ResponsesToChat:
    """The crossing; `can` is what the provider takes, by default what is known of the model."""

    __slots__ = ("_can",)

    def __init__(self, can: ChatCan | None = None) -> None:
        self._can = can

    def request(self, body: bytes, model: str, created: int) -> Crossed:
        dropped = Dropped()
        said, response = request_of(body, model, created, self._can or chat_can(model), dropped)
        return Crossed(said, dropped.names(), ResponsesReply(response))
