"""Which answers may be kept: those that were complete, and that ended as their maker ends an answer. Pure, O(1)."""

from typing import Final, Protocol

from tidegate.model.parts import Kind

_CHAT: Final = Kind.CHAT
_EMBEDDING: Final = Kind.EMBEDDING


class Ended(Protocol):
    """How an answer ended, as `providers/answers/finish.py` reads it from its body."""

    @property
    def ended(self) -> str:
        """One of: stop | length | filter | tools | refusal | incomplete | error | cut."""

    @property
    def text(self) -> str:
        """What was said."""


_STOP: Final = "stop"
_TOOLS: Final = "tools"
_UNKNOWN: Final = "error"


def why_not(finish: Ended, *, tools_allowed: bool, kind: Kind = _CHAT) -> str:
    """Why this answer is not kept, in a word for header and ledger; "" = it may be.

    The word is how it ended, or `empty`: an answer without a word is a fault of the provider's more often than what
    was meant, and would be told again and again. Tool calls are kept where that is allowed: to answer twice with one
    is to have something done twice.
    """
    ended = finish.ended
    if ended == _TOOLS:
        return "" if tools_allowed else _TOOLS
    if ended != _STOP:
        return ended or _UNKNOWN
    return "" if kind is _EMBEDDING or finish.text.strip() else "empty"
