"""The door: what the head of a request alone decides. Who comes too often, and who comes at all.

It outlives reloads: nobody is forgiven by one. A request costs two look-ups, and nothing where no limit is configured.
Health probes do not pass here.
"""

from typing import Final, Protocol

from tidegate.edge.access.principals import Clients, Principal
from tidegate.edge.access.signatures import Nonce, NoRoom, Signatures
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.snapshot import AddressLimits, SigningSettings
from tidegate.policy.access.addresses import Networks, counted_as, peer_address
from tidegate.policy.access.familiar import Familiar
from tidegate.policy.access.forwarded import client_address
from tidegate.policy.access.job_tokens import JobToken
from tidegate.policy.access.meter import Meter
from tidegate.policy.access.signature import BadSignature
from tidegate.wire.exchange import Exchange

MAX_PEERS: Final = 4_096  # whose address need not be read again
NO_ROOM: Final = "nonces"
_SIGNED: Final = b"signature-input"
NO_KEY: Final = Problem(
    ProblemKind.UNAUTHENTICATED,
    "Send a valid key of this gate as Authorization: Bearer KEY, or as x-api-key, or sign the request.",
)
_UNSIGNED: Final = Problem(
    ProblemKind.BAD_SIGNATURE,
    "This key signs its requests: send Signature-Input, Signature and Content-Digest (RFC 9421); the key alone is not "
    "enough.",
    "signature",
)


class Turned(Exception):
    """Somebody is turned away. `word` is one of a few, for the counters."""

    def __init__(self, problem: Problem, word: str) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.word = word


class Place:
    """What the requests of one head are counted under."""

    __slots__ = ("address", "key", "user")

    def __init__(self, address: bytes, key: bytes, user: bytes) -> None:
        self.address = address
        self.key = key  # and its address
        self.user = user  # wherever it is; b"" = nobody has a name here


class Admission:
    """Who was let in by the head of a request, until its body is here."""

    __slots__ = ("address", "client", "digest", "mark", "nonce", "place", "ticket")

    def __init__(
        self,
        client: Principal,
        mark: object,
        address: bytes,
        place: Place | None,
        digest: bytes | None,
        ticket: JobToken | None = None,
        nonce: Nonce | None = None,
    ) -> None:
        self.client = client
        self.mark = mark  # of the runtime that knew the client
        self.address = address  # as of `policy.access.addresses`
        self.place = place  # None: nothing is counted
        self.digest = digest  # what the body must have been signed with; None: the head is not signed
        self.ticket = ticket  # of the job whose call it is; None: it comes of its own accord
        self.nonce = nonce  # of its signature, which the other workers have yet to hear of


class Entrance(Protocol):
    """Who may call now."""

    @property
    def clients(self) -> Clients: ...
    @property
    def mark(self) -> object: ...


class Door:
    """Who may come in. `now` is monotonic microseconds, `wall` counts from 1970."""

    __slots__ = (
        "_addresses", "_counts", "_failures", "_familiar", "_keys", "_peers", "_prefix6", "_secret", "_signatures",
        "_trusted", "_users",
    )  # fmt: skip

    def __init__(self, limits: AddressLimits, signatures: Signatures | None, secret: bytes) -> None:
        """`secret`: at most 64 random bytes, so that nobody can choose with whom an address is counted together.

        Raises `ValueError` for a network that is none.
        """
        self._signatures = signatures
        self._secret = secret
        self._addresses: Meter | None = None
        self._keys: Meter | None = None
        self._users: Meter | None = None
        self._failures: Meter | None = None
        self._familiar = Familiar()
        self._limit(limits)

    def change(self, limits: AddressLimits, signing: SigningSettings) -> None:
        """Other limits from now on; who is at one stays there. Raises `ValueError` as when it is made."""
        self._limit(limits)
        if self._signatures is not None:
            self._signatures.change(signing)

    def distrust(self, wall: int) -> None:
        """Keys come in here now that came in elsewhere: nobody knows here which of their signatures were used."""
        if self._signatures is not None:
            self._signatures.distrust(wall)

    def _limit(self, limits: AddressLimits) -> None:
        self._trusted = Networks(limits.trusted_proxies)
        self._prefix6 = limits.prefix6
        self._peers: dict[str, bytes] = {}
        self._addresses = self._meter(self._addresses, limits.address_rpm, limits.address_burst)
        self._keys = self._meter(self._keys, limits.key_rpm, limits.key_burst)
        self._users = self._meter(self._users, limits.user_rpm, limits.user_burst)
        self._counts = bool(limits.address_rpm or limits.key_rpm or limits.user_rpm)
        self._failures = self._meter(self._failures, limits.failures, limits.failures)

    def address(self, exchange: Exchange) -> bytes:
        """The client's address, behind trusted proxies; b"" where there is none."""
        peer = exchange.peer
        address = self._peers.get(peer)
        if address is None:
            address = peer_address(peer)
            if address in self._trusted:
                return client_address(peer, exchange.headers, self._trusted)
            if len(self._peers) >= MAX_PEERS:
                self._peers.clear()
            self._peers[peer] = address
        return address

    def place(self, client: Principal, address: bytes) -> Place | None:
        """What requests of this key from there are counted under; None: nothing is counted."""
        if not self._counts:
            return None
        counted = counted_as(address, self._prefix6)
        return Place(counted, _name(client, counted), _user(client))

    def knock(self, address: bytes, now: int) -> None:
        """Count a request whose head nobody knows by its address. Raises `Turned`."""
        if self._addresses is not None:
            wait = self._addresses.take(counted_as(address, self._prefix6), now)
            if wait:
                raise _too_many("from this address", wait, "address")

    def again(self, place: Place, now: int) -> None:
        """Count a request whose head is known. Raises `Turned`."""
        if self._keys is not None:
            wait = self._keys.take(place.key, now)
            if wait:
                raise _too_many("with this key from this address", wait, "key_and_address")
        if self._addresses is not None:
            wait = self._addresses.take(place.address, now)
            if wait:
                raise _too_many("from this address", wait, "address")
        if self._users is not None:
            self._count_user(place.user, now)

    def enter(self, exchange: Exchange, address: bytes, runtime: Entrance, now: int, wall: int) -> Admission:
        """Who calls, by a key or a signature. Raises `Turned`.

        While an address is slowed, only who was let in from there lately is let in: whoever else comes is not told
        whether the key was right.
        """
        counted = counted_as(address, self._prefix6)
        failures = self._failures
        wait = failures.wait(counted, now) if failures is not None else 0
        try:
            guest, name = self._recognise(exchange, address, counted, runtime, wall)
        except Turned as turned:
            if turned.word == NO_ROOM:
                raise
            raise self.failed(address, turned, now) from None
        if wait and not self._familiar.holds(name, now):
            raise _too_many("without a valid key came from this address", wait, "failures")
        if failures is not None:
            self._familiar.note(name, now)
        if self._keys is not None:
            wait = self._keys.take(name, now)
            if wait:
                raise _too_many("with this key from this address", wait, "key_and_address")
        if self._users is not None:
            self._count_user(_user(guest.client), now)
        return guest

    def _count_user(self, user: bytes, now: int) -> None:
        """Last of all: what is refused for where it comes from takes nothing of its user elsewhere. Raises `Turned`."""
        if self._users is not None and user:
            wait = self._users.take(user, now)
            if wait:
                raise _too_many("by this user", wait, "user")

    def failed(self, address: bytes, turned: Turned, now: int) -> Turned:
        """Count somebody who showed nothing that lets in; and what to tell them instead, where there are too many."""
        failures = self._failures
        if failures is None:
            return turned
        counted = counted_as(address, self._prefix6)
        wait = failures.wait(counted, now)
        if wait:
            return _too_many("without a valid key came from this address", wait, "failures")
        failures.take(counted, now)
        return turned

    def _recognise(
        self, exchange: Exchange, address: bytes, counted: bytes, runtime: Entrance, wall: int
    ) -> tuple[Admission, bytes]:
        """A key that takes no signatures is enough; else a signature, where there is one, decides."""
        clients = runtime.clients
        client = clients.of(exchange)
        digest: bytes | None = None
        nonce: Nonce | None = None
        if self._signatures is not None and (client is None or client.signing != "off"):
            if exchange.header(_SIGNED) is not None:
                client, digest, nonce = _signed(self._signatures, exchange, clients, wall)
            elif client is not None and client.signing == "required":
                raise Turned(_UNSIGNED, "unsigned")
        if client is None:
            raise Turned(NO_KEY, "key")
        name = _name(client, counted)
        place = Place(counted, name, _user(client)) if self._counts else None
        return Admission(client, runtime.mark, address, place, digest, nonce=nonce), name

    def _meter(self, meter: Meter | None, per_minute: int, burst: int) -> Meter | None:
        if not per_minute:
            return None
        if meter is None:
            return Meter(per_minute, burst or per_minute, self._secret)
        meter.change(per_minute, burst or per_minute)
        return meter


def _name(client: Principal, counted: bytes) -> bytes:
    """A key at an address."""
    return b"%b %b" % (client.name.encode(), counted)


def _user(client: Principal) -> bytes:
    """The user of a key, in its namespace; the key alone, which is unique, where it has none; b"" without keys."""
    if client.user:
        return f"{client.space}\0{client.user}".encode()
    return client.name.encode()


def _signed(signatures: Signatures, exchange: Exchange, clients: Clients, wall: int) -> tuple[Principal, bytes, Nonce]:
    try:
        client, digest, nonce = signatures.judge(exchange, clients, wall)
        signatures.use(nonce, wall)
    except BadSignature as error:
        raise Turned(Problem(ProblemKind.BAD_SIGNATURE, str(error), "signature"), "signature") from None
    except NoRoom as full:
        raise Turned(Problem(ProblemKind.UNAVAILABLE, str(full), "", full.wait_us), NO_ROOM) from None
    return client, digest, nonce


def _too_many(what: str, wait_us: int, word: str) -> Turned:
    seconds = -(-wait_us // 1_000_000)
    return Turned(
        Problem(ProblemKind.OVER_QUOTA, f"Too many requests {what}. Try again in {seconds} s.", "", wait_us), word
    )
