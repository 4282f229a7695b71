"""What is in flight when its key is revoked, for the namespaces that want it to end then (`on_revoked: cut`).

Calls of other namespaces are never looked at, and cost nothing.
"""

from typing import Final, Protocol

from tidegate.edge.access.principals import Clients, Principal
from tidegate.edge.task_pool import Brake
from tidegate.line.relay import Relay
from tidegate.model.call import Call
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure
from tidegate.ports import Clock

MAX_LOOKS: Final = 256  # in one turn of the loop
MAX_ENDS: Final = 16  # each writes a record
ENDED: Final = "ended: its key was revoked"  # in records
_MESSAGE: Final = "The key of this call was revoked while it ran."
REVOKED: Final = Problem(ProblemKind.UNAUTHENTICATED, _MESSAGE)


class Revocable(Protocol):
    """What a call has to do with others that ask the same."""

    def revoke(self) -> bool:
        """Its client is told. False: it has nothing to do with others, and ends as any call."""


class InFlight:
    """One call, and how it can be ended: by its task until a stream is attached, then by its relay."""

    __slots__ = ("brake", "call", "client", "relay", "revoked", "shared")

    def __init__(self, call: Call, client: Principal, shared: Revocable | None = None) -> None:
        self.call = call
        self.client = client
        self.shared = shared
        self.brake: Brake | None = None
        self.relay: Relay | None = None
        self.revoked = False


class Revoking:
    """The calls in flight that end with their keys, by their ids."""

    __slots__ = ("_clients", "_clock", "_looking", "_rest", "calls")

    def __init__(self, clock: Clock) -> None:
        self.calls: dict[int, InFlight] = {}
        self._clock = clock
        self._clients: Clients | None = None
        self._rest: list[InFlight] = []
        self._looking = False

    def begin(self, call: Call, client: Principal, shared: Revocable | None = None) -> None:
        """A call of such a namespace."""
        self.calls[call.id] = InFlight(call, client, shared)

    def serve(self, call: Call, brake: Brake) -> None:
        """A task has begun with the call."""
        one = self.calls.get(call.id)
        if one is not None:
            one.brake = brake

    def stream(self, call: Call, relay: Relay) -> None:
        """Its answer has begun."""
        one = self.calls.get(call.id)
        if one is not None:
            one.relay = relay

    def ended(self, call: Call) -> bool:
        """Whether its key was revoked."""
        one = self.calls.get(call.id)
        return one is not None and one.revoked

    def gone(self, client: Principal) -> bool:
        """Whether this client is nobody's any more: for a call that begins after it has waited. O(1)."""
        clients = self._clients
        return clients is not None and clients.by_digest(client.digest) is None

    def review(self, clients: Clients) -> None:
        """Who may call has changed: end what belongs to nobody any more, some of it in each turn of the loop."""
        self._clients = clients
        self._rest = list(self.calls.values())
        if self._rest and not self._looking:
            self._looking = True
            self._look()

    def _look(self) -> None:
        """A slice of it."""
        clients, rest = self._clients, self._rest
        still: dict[bytes, bool] = {}
        later: list[InFlight] = []
        looks, ends = MAX_LOOKS, MAX_ENDS
        while clients is not None and rest and looks and ends:
            looks -= 1
            one = rest.pop()
            digest = one.client.digest
            if digest not in still:
                still[digest] = clients.by_digest(digest) is not None
            if not still[digest] and not one.call.closed and not one.revoked:
                ends -= 1
                if not _end(one):
                    later.append(one)  # its task begins with the next turn
        rest += later
        self._looking = bool(rest)
        if rest:
            self._clock.call_at(self._clock.now() + 1, self._look)


def _end(one: InFlight) -> bool:
    """End it. False: it has not begun."""
    relay, brake = one.relay, one.brake
    if one.shared is not None and one.shared.revoke():
        one.revoked = True
        return True
    if relay is None and brake is None:
        return False
    one.revoked = True
    one.call.degraded = (*one.call.degraded, ENDED)
    if relay is not None:
        relay.cut(Failure(Reason.AUTH, _MESSAGE))
    elif brake is not None:
        brake.stop()
    return True
