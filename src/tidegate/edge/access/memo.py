"""What was made of the heads of a connection that are alike, so that it need not be made again for the next one."""

from typing import Final

from tidegate.edge.access.door import Admission
from tidegate.edge.access.principals import Principal
from tidegate.edge.intake import Caller
from tidegate.wire.exchange import Exchange

_SIGNERS: Final = 16  # keys that sign over one connection, of which what their heads say is kept


class Signers:
    """Whose signatures came in heads that are alike: they say the same of all calls of one key.

    It holds as long as `mark` is the runtime's.
    """

    __slots__ = ("_callers", "address", "mark")

    def __init__(self, guest: Admission) -> None:
        self.mark = guest.mark
        self.address = guest.address
        self._callers: dict[str, Caller] = {}

    def add(self, caller: Caller) -> None:
        """Its next heads are known."""
        if len(self._callers) >= _SIGNERS:
            self._callers.clear()
        self._callers[caller.client] = caller

    def caller(self, client: Principal) -> Caller | None:
        """What the head says of this client's calls."""
        return self._callers.get(client.name)


class HeadMemo:
    """Noted beside the heads (`Likeness.note`). A connection has one live exchange, so one `guest` is enough."""

    __slots__ = ("caller", "guest", "signers")

    def __init__(self) -> None:
        self.guest: Admission | None = None  # who was let in by the present head, until its body is here
        self.caller: Caller | None = None  # what all such heads say, where they are not signed
        self.signers: Signers | None = None  # whose such heads they are, where they are signed

    def admit(self, guest: Admission | None) -> None:
        """A head was looked at: nothing that was known before holds."""
        self.guest = guest
        self.caller = self.signers = None

    def learn(self, caller: Caller) -> None:
        """All heads like this one say so."""
        self.caller = caller
        self.guest = self.signers = None


def memo_of(exchange: Exchange) -> HeadMemo:
    """What is known of this head, to be written in."""
    note = exchange.alike.note
    if isinstance(note, HeadMemo):
        return note
    memo = exchange.alike.note = HeadMemo()
    return memo
