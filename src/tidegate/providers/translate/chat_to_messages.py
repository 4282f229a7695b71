"""Clients of chat completions, served by providers of Anthropic's messages."""

from tidegate.providers.translate.chat_answer import completion_of
from tidegate.providers.translate.chat_request import request_of
from tidegate.providers.translate.chat_stream import ChatStream
from tidegate.providers.translate.face import Crossed
from tidegate.providers.translate.models import messages_can
from tidegate.providers.translate.reading import Dropped
from tidegate.providers.translate.records import ChatSaid, MessagesCan


class ChatReply:
    """The way back: messages to chat completions."""

    __slots__ = ("_created", "_said")

    def __init__(self, said: ChatSaid, created: int) -> None:
        self._said = said
        self._created = created

    def answer(self, body: bytes) -> bytes:
        return completion_of(body, self._created, self._said.json_tool)

    def stream(self) -> ChatStream:
        return ChatStream(self._created, json_tool=self._said.json_tool, wants_usage=self._said.wants_usage)


class ChatToMessages:
    """The crossing; `can` is what the provider takes, by default what is known of the model."""

    __slots__ = ("_can",)

    def __init__(self, can: MessagesCan | None = None) -> None:
        self._can = can

    def request(self, body: bytes, model: str, created: int) -> Crossed:
        dropped = Dropped()
        said = request_of(body, model, self._can or messages_can(model), dropped)
        return Crossed(said.body, dropped.names(), ChatReply(said, created))
