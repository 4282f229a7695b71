"""What a reload replaces."""

from tidegate.edge.access.door import Door
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.roster import Roster
from tidegate.edge.access.tickets import Tickets
from tidegate.line.routing_table import RoutingTable


class Runtime:
    """Who may call, and which plan serves what. `mark` tells one runtime from the next.

    The door stays; without one everybody may come as often as they like, and nobody by a signature.
    """

    __slots__ = ("book", "clients", "door", "mark", "tickets")

    def __init__(
        self, book: RoutingTable, clients: Clients, door: Door | None = None, tickets: Tickets | None = None
    ) -> None:
        self.book = book
        self.clients = clients
        self.door = door
        self.tickets = tickets  # None: there is no patient work
        self.mark = object()

    def follow(self, managed: Roster) -> None:
        """Who may call has changed beside the file. It holds for the next request of every connection. O(keys seen)."""
        self.clients.follow(managed)
        self.mark = object()
