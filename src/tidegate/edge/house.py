"""What a reload replaces."""

from tidegate.edge.clients import Clients
from tidegate.edge.door import Door
from tidegate.line.book import Book


class House:
    """Who may call, and which plan serves what. `mark` tells one house from the next.

    The door stays; without one everybody may come as often as they like, and nobody by a signature.
    """

    __slots__ = ("book", "clients", "door", "mark")

    def __init__(self, book: Book, clients: Clients, door: Door | None = None) -> None:
        self.book = book
        self.clients = clients
        self.door = door
        self.mark = object()
