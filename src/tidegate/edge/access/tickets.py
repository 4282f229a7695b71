"""Who comes with a ticket: a runner, with the call of a job, let in as the client whose job it is.

The ticket stands for the client's key: its limits, models and expiry hold, and a key that is no more opens nothing.
What belongs to a request alone, where it comes from and whether it is signed, was judged when the job was accepted.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.edge.access.door import Admission, Door, Turned
from tidegate.edge.access.principals import Clients, Principal
from tidegate.edge.access.rights import untimely
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.jobs import TICKET_HEADER
from tidegate.policy.access.job_tokens import EXPIRED, BadTicket, JobToken, read
from tidegate.wire.exchange import Exchange

AGAIN_US: Final = 1_000_000  # the secret is looked for no more often than this
_WORD: Final = "ticket"
_GONE: Final = Problem(
    ProblemKind.UNAUTHENTICATED,
    "The key that this job was accepted with is not valid any more, or is of another namespace now.",
)


class Entrance(Protocol):
    """Who may call now."""

    @property
    def clients(self) -> Clients: ...
    @property
    def door(self) -> Door | None: ...
    @property
    def mark(self) -> object: ...


class Tickets:
    """The secret that tickets are signed with, as the desk has written it down. It outlives reloads."""

    __slots__ = ("_looked_us", "_secret", "_secret_of")

    def __init__(self, secret_of: Callable[[], bytes]) -> None:
        """`secret_of` reads it, b"" while there is none: at the first ticket, and when one does not verify."""
        self._secret_of = secret_of
        self._secret = b""
        self._looked_us = -AGAIN_US

    def guest(self, runtime: Entrance, exchange: Exchange, shown: bytes, now: int, wall: int) -> Admission:
        """Who is let in by this ticket. Raises `Turned`; what nobody has signed is counted as a key that fails is."""
        try:
            ticket = self._read(shown, wall)
        except BadTicket as bad:
            turned = Turned(Problem(ProblemKind.UNAUTHENTICATED, str(bad), TICKET_HEADER.decode()), _WORD)
            door = runtime.door
            if door is not None and exchange.peer and str(bad) != EXPIRED:
                address = door.address(exchange)
                door.knock(address, now)
                turned = door.failed(address, turned, now)
            raise turned from None
        return Admission(_holder(runtime.clients, ticket, wall), runtime.mark, b"", None, None, ticket)

    def _read(self, shown: bytes, wall: int) -> JobToken:
        """Raises `BadTicket`."""
        try:
            return read(shown, self._secret, wall)
        except BadTicket:
            if abs(wall - self._looked_us) < AGAIN_US:
                raise
        self._looked_us = wall
        secret = self._secret_of()
        if secret:
            self._secret = secret
        return read(shown, self._secret, wall)


def _holder(clients: Clients, ticket: JobToken, wall: int) -> Principal:
    """Whose job it is, as they stand now. Raises `Turned`."""
    anybody = clients.anybody if clients.open else None
    client = clients.by_name(ticket.client) if ticket.client else anybody
    if client is None or client.space != ticket.namespace:
        raise Turned(_GONE, _WORD)
    problem = untimely(client, wall)
    if problem is not None:
        raise Turned(problem, _WORD)
    return client
