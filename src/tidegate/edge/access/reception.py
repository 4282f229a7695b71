"""Who is let in by the head of a request, and whether they still are when its body has come."""

from tidegate.edge import errors
from tidegate.edge.access.door import NO_KEY, Admission, Turned
from tidegate.edge.access.memo import Signers, memo_of
from tidegate.edge.access.principals import Principal
from tidegate.edge.access.rights import ELSEWHERE, KEPT, objection
from tidegate.edge.access.signatures import Nonce
from tidegate.edge.intake import Caller, check_signed
from tidegate.edge.misdirected import misdirected
from tidegate.edge.routes import Match, Route, kept
from tidegate.edge.runtime import Runtime
from tidegate.model.errors import Problem
from tidegate.model.jobs import TICKET_HEADER
from tidegate.policy.access.addresses import peer_address
from tidegate.ports import Clock
from tidegate.providers.codec import Dialect
from tidegate.wire.exchange import Exchange


def welcome(
    runtime: Runtime, exchange: Exchange, found: Match, dialect: Dialect, now: int, wall: int
) -> Admission | errors.Reply | None:
    """Who is let in by the head alone, or the refusal; None for who need not say it. Raises `Turned`."""
    probe = found.route is Route.ALIVE or found.route is Route.READY
    ticket = None if runtime.tickets is None or probe else exchange.header(TICKET_HEADER)
    if runtime.tickets is not None and ticket is not None:
        refusal = misdirected(exchange, found, dialect)
        return runtime.tickets.guest(runtime, exchange, ticket, now, wall) if refusal is None else refusal
    door, address = None if probe else runtime.door, b""
    if door is not None:
        address = door.address(exchange)
        door.knock(address, now)
    refusal = misdirected(exchange, found, dialect)
    if refusal is not None or probe:
        return refusal
    guest = _shown(runtime, exchange) if door is None else door.enter(exchange, address, runtime, now, wall)
    if guest is None:
        raise Turned(NO_KEY, "key")
    problem = objection(guest.client, guest.address, wall)
    if problem is None and (found.route is Route.FORWARD or found.route is Route.MODEL):
        problem = _forwards(guest.client, exchange, found)
    if problem is not None:
        raise Turned(problem, problem.kind.name.lower())
    return guest


def welcome_signer(runtime: Runtime, exchange: Exchange, clock: Clock) -> bool:
    """Whether a head like this one, with another signature, was welcomed before: then only that is looked at.

    Raises `Turned`.
    """
    memo = memo_of(exchange)
    signers = memo.signers
    if signers is None or signers.mark is not runtime.mark:
        return False
    memo.guest = None
    door = runtime.door
    if door is None:
        raise Turned(NO_KEY, "key")
    now, wall = clock.now(), clock.wall()
    door.knock(signers.address, now)
    guest = door.enter(exchange, signers.address, runtime, now, wall)
    problem = objection(guest.client, guest.address, wall)
    if problem is not None:
        raise Turned(problem, problem.kind.name.lower())
    memo.guest = guest
    return True


def unproven(exchange: Exchange) -> Nonce | None:
    """The nonce of a signed head, of which the other workers have not heard yet. Once."""
    guest = memo_of(exchange).guest
    if guest is None:
        return None
    nonce, guest.nonce = guest.nonce, None
    return nonce


def introduced(runtime: Runtime, exchange: Exchange, found: Match, now: int, wall: int) -> Caller:
    """Who calls, now that the body is here; the next head like this one need not be looked at again.

    Raises `Turned`, and `intake.Refusal`.
    """
    guest, memo = guest_of(runtime, exchange, now, wall), memo_of(exchange)
    check_signed(guest, exchange.body)
    signers = memo.signers
    if signers is not None and signers.mark is not guest.mark:
        signers = None
    caller = None if signers is None else signers.caller(guest.client)
    if caller is not None:
        return caller
    problem = _forwards(guest.client, exchange, found) if found.route is Route.FORWARD else None
    if problem is not None:  # until now it was not forwarded
        raise Turned(problem, problem.kind.name.lower())
    caller = Caller(exchange, found.kind, guest.client, guest.mark, guest.place)
    if guest.ticket is not None:
        caller.employ(guest.ticket, runtime.clients.of_jobs(guest.client))
    if found.route is Route.CALL and guest.digest is None:
        memo.learn(caller)
    elif found.route is Route.CALL:
        if signers is None:
            memo.admit(None)
            signers = memo.signers = Signers(guest)
        signers.add(caller)
    return caller


def _forwards(client: Principal, exchange: Exchange, found: Match) -> Problem | None:
    """Why a key may not ask providers for what no model is named of."""
    ours = found.route is Route.MODEL and exchange.method in (b"GET", b"HEAD")
    if not ours and not client.stored and kept(exchange.method, exchange.path):
        return KEPT
    return ELSEWHERE if client.models is not None and found.route is Route.FORWARD else None


def guest_of(runtime: Runtime, exchange: Exchange, now: int, wall: int) -> Admission:
    """Who was let in, as they stand now: a body may take a minute, and a key be revoked meanwhile. Raises `Turned`."""
    memo = memo_of(exchange)
    noted = memo.guest
    if memo.signers is not None:
        memo.guest = None  # it has come, once
    if noted is not None and noted.mark is runtime.mark:
        return noted
    ticket = None if runtime.tickets is None else exchange.header(TICKET_HEADER)
    if runtime.tickets is not None and ticket is not None:
        return runtime.tickets.guest(runtime, exchange, ticket, now, wall)
    if noted is not None:
        client = None if noted.ticket is not None else _still(runtime, noted.client)
        guest = None if client is None else _guest(runtime, client, noted.address, noted.digest)
    else:  # its head was known until the runtime changed
        guest = _shown(runtime, exchange)
    if guest is None:
        raise Turned(NO_KEY, "key")
    problem = objection(guest.client, guest.address, wall)
    if problem is not None:
        raise Turned(problem, problem.kind.name.lower())
    return guest


def _shown(runtime: Runtime, exchange: Exchange) -> Admission | None:
    """By the key alone, where that is enough."""
    client = runtime.clients.of(exchange)
    if client is None or client.signing == "required":
        return None
    door = runtime.door
    address = peer_address(exchange.peer) if door is None else door.address(exchange)
    return _guest(runtime, client, address, None)


def _guest(runtime: Runtime, client: Principal, address: bytes, digest: bytes | None) -> Admission:
    """Counted from its next request on as anybody is: this one has been."""
    door = runtime.door
    return Admission(client, runtime.mark, address, None if door is None else door.place(client, address), digest)


def _still(runtime: Runtime, client: Principal) -> Principal | None:
    """The same client as the runtime knows it now."""
    clients = runtime.clients
    return clients.anybody if clients.open else clients.by_digest(client.digest)
