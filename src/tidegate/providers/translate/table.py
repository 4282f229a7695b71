"""Which translation leads from what a client asks to what a provider is asked."""

from collections.abc import Mapping
from typing import Final

from tidegate.model.call import Kind
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Crossing
from tidegate.providers.translate.messages_to_chat import MessagesToChat

_CROSSINGS: Final[Mapping[tuple[Kind, Kind], Crossing]] = {
    (Kind.CHAT, Kind.MESSAGES): ChatToMessages(),
    (Kind.MESSAGES, Kind.CHAT): MessagesToChat(),
}


def crossing(asked: Kind, spoken: Kind) -> Crossing | None:
    """The translation from `asked` to `spoken`, None when there is none. O(1)."""
    return _CROSSINGS.get((asked, spoken))
