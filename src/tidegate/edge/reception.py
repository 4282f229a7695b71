"""Who is let in by the head of a request, and whether they still are when its body has come."""

from tidegate.edge import errors
from tidegate.edge.clients import Client
from tidegate.edge.door import NO_KEY, Guest, Turned
from tidegate.edge.house import House
from tidegate.edge.misdirected import misdirected
from tidegate.edge.rights import ELSEWHERE, KEPT, objection
from tidegate.edge.routes import Match, Route, kept
from tidegate.model.errors import Problem
from tidegate.policy.access.addresses import peer_address
from tidegate.providers.codec import Dialect
from tidegate.wire.exchange import Exchange


def welcome(
    house: House, exchange: Exchange, found: Match, dialect: Dialect, now: int, wall: int
) -> Guest | errors.Reply | None:
    """Who is let in by the head alone, or the refusal; None for who need not say it. Raises `Turned`."""
    probe = found.route is Route.ALIVE or found.route is Route.READY
    door, address = None if probe else house.door, b""
    if door is not None:
        address = door.address(exchange)
        door.knock(address, now)
    refusal = misdirected(exchange, found, dialect)
    if refusal is not None or probe:
        return refusal
    guest = _shown(house, exchange) if door is None else door.enter(exchange, address, house, now, wall)
    if guest is None:
        raise Turned(NO_KEY, "key")
    problem = objection(guest.client, guest.address, wall)
    if problem is None and (found.route is Route.FORWARD or found.route is Route.MODEL):
        problem = _forwards(guest.client, exchange, found)
    if problem is not None:
        raise Turned(problem, problem.kind.name.lower())
    return guest


def _forwards(client: Client, exchange: Exchange, found: Match) -> Problem | None:
    """Why a key may not ask providers for what no model is named of."""
    ours = found.route is Route.MODEL and exchange.method in (b"GET", b"HEAD")
    if not ours and not client.stored and kept(exchange.method, exchange.path):
        return KEPT
    return ELSEWHERE if client.models is not None and found.route is Route.FORWARD else None


def guest_of(house: House, exchange: Exchange, wall: int) -> Guest:
    """Who was let in, as they stand now: a body may take a minute, and a key be revoked meanwhile. Raises `Turned`."""
    noted = exchange.alike.note
    if isinstance(noted, Guest):
        if noted.mark is house.mark:
            return noted
        client = _still(house, noted.client)
        guest = None if client is None else _guest(house, client, noted.address, noted.digest)
    else:  # its head was known until the house changed
        guest = _shown(house, exchange)
    if guest is None:
        raise Turned(NO_KEY, "key")
    problem = objection(guest.client, guest.address, wall)
    if problem is not None:
        raise Turned(problem, problem.kind.name.lower())
    return guest


def _shown(house: House, exchange: Exchange) -> Guest | None:
    """By the key alone, where that is enough."""
    client = house.clients.of(exchange)
    if client is None or client.signing == "required":
        return None
    door = house.door
    address = peer_address(exchange.peer) if door is None else door.address(exchange)
    return _guest(house, client, address, None)


def _guest(house: House, client: Client, address: bytes, digest: bytes | None) -> Guest:
    """Counted from its next request on as anybody is: this one has been."""
    door = house.door
    return Guest(client, house.mark, address, None if door is None else door.place(client, address), digest)


def _still(house: House, client: Client) -> Client | None:
    """The same client as the house knows it now."""
    clients = house.clients
    return clients.anybody if clients.open else clients.by_digest(client.digest)
