"""Clients of Anthropic's messages, served by providers of chat completions."""

from tidegate.providers.translate.face import Crossed
from tidegate.providers.translate.messages_answer import message_of
from tidegate.providers.translate.messages_request import request_of
from tidegate.providers.translate.messages_stream import MessagesStream
from tidegate.providers.translate.models import chat_can
from tidegate.providers.translate.reading import Dropped
from tidegate.providers.translate.records import ChatCan, MessagesSaid


class MessagesReply:
    """The way back: chat completions to messages."""

    __slots__ = ("_said",)

    def __init__(self, said: MessagesSaid) -> None:
        self._said = said

    def answer(self, body: bytes) -> bytes:
        return message_of(body, self._said.stops, thoughts=self._said.thoughts)

    def stream(self) -> MessagesStream:
        return MessagesStream(thoughts=self._said.thoughts, stops=self._said.stops)


class MessagesToChat:
    """The crossing; `can` is what the provider takes, by default what is known of the model."""

    __slots__ = ("_can",)

    def __init__(self, can: ChatCan | None = None) -> None:
        self._can = can

    def request(self, body: bytes, model: str, created: int) -> Crossed:
        dropped = Dropped()
        said = request_of(body, model, self._can or chat_can(model), dropped)
        return Crossed(said.body, dropped.names(), MessagesReply(said))
