"""Which translation leads from what a client asks to what a provider is asked."""

from collections.abc import Mapping
from typing import Final

from tidegate.model.call import Kind
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Crossing
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_to_chat import ResponsesToChat
from tidegate.providers.translate.tables import RESPONSES_NAMES
from tidegate.providers.translate.through import Through

# Between two translations everything is said that somebody may read; the second decides what is dropped.
_HUB: Final = ChatCan(reasoning_content=True, cache_control=True, hub=True)

_CROSSINGS: Final[Mapping[tuple[Kind, Kind], Crossing]] = {
    (Kind.CHAT, Kind.MESSAGES): ChatToMessages(),
    (Kind.MESSAGES, Kind.CHAT): MessagesToChat(),
    (Kind.RESPONSES, Kind.CHAT): ResponsesToChat(),
    (Kind.RESPONSES, Kind.MESSAGES): Through(ResponsesToChat(_HUB), ChatToMessages(), RESPONSES_NAMES),
}


def crossing(asked: Kind, spoken: Kind) -> Crossing | None:
    """The translation from `asked` to `spoken`, None when there is none. O(1)."""
    return _CROSSINGS.get((asked, spoken))
