"""Who asks: an admin token (`Authorization: Bearer tga_…`), or the session of a browser (`cookies.py`).

A token that is shown counts alone, whatever cookies are sent beside it. An address that shows wrong tokens is slowed
(`brake.py`), in IPv6 its whole /64, since whoever has one address there has them all; every tenth stands in the audit.
"""

import asyncio

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from tidegate.control.admin.auth import cookies
from tidegate.control.admin.auth.brake import BURST, Brake
from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.auth.secrets import TOKEN_PREFIX
from tidegate.control.admin.auth.sessions import basis_of
from tidegate.control.admin.office import Office, away
from tidegate.control.admin.problems import Refused, refused
from tidegate.model.keys import digest_of
from tidegate.policy.access.addresses import UNKNOWN, peer_address, shown
from tidegate.store import audit, sessions, tokens
from tidegate.store.engine import writing
from tidegate.store.sessions import Session
from tidegate.store.tokens import Token
from tidegate.units import MINUTE_US

_MOST = 1_024  # digests that are remembered as good
_LONGEST = 200
_HEADER = "header.authorization"
_V6 = 16  # bytes of an address
_SITE = 8  # of them are the network's, the others its own choice


class Authenticator:
    """Finds the holder of a token or of a session by its digest."""

    __slots__ = ("_brake", "_good", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._brake = Brake()
        self._good: dict[bytes, int] = {}  # digests that were good before, and when their use was noted

    async def actor(self, request: Request) -> Actor:
        """Who asks. Raises `Refused`: 401, 429 for who has shown too many wrong tokens, 403 for pages of others."""
        if "authorization" not in request.headers and cookies.has_one(request):
            return _of_session(await self.session(request), address_of(request))
        token = await self.token(request, request.headers.get("authorization", ""), _HEADER)
        return Actor(token.name, token.role, token.namespace, address_of(request))

    async def still(self, request: Request) -> bool:
        """May who was let in stay? For answers that last: it is no use of the session, which may end by being idle.

        True while the database is away, as nobody can say.
        """
        actor: Actor = request.state.actor
        try:
            if "authorization" not in request.headers:
                found = await asyncio.to_thread(self._session, digest_of(cookies.shown(request)), noted=False)
                return found is not None and _of_session(found, actor.address) == actor
            digest = digest_of(_read(request.headers["authorization"], _HEADER))
            token = await asyncio.to_thread(self._token, digest)
        except Refused as refusal:
            return refusal.status >= 500
        return token is not None and Actor(token.name, token.role, token.namespace, actor.address) == actor

    async def session(self, request: Request) -> Session:
        """The session that the request shows. Raises `Refused`."""
        secret = cookies.shown(request)
        found = await asyncio.to_thread(self._session, digest_of(secret), noted=True) if secret else None
        if found is None:
            raise cookies.ended("has ended: it expired, was unused for long, was signed out, or its token is no more")
        cookies.check_csrf(request, secret)
        return found

    async def token(self, request: Request, shown: str, field: str) -> Token:
        """The token that stands in a field of the request. Raises `Refused`."""
        address, now = address_of(request), self._office.clocks.now()
        digest = digest_of(_read(shown, field))
        wait_us = 0 if digest in self._good else self._brake.wait_us(site_of(address), now)
        if wait_us:
            seconds = str(-(-wait_us // 1_000_000))
            remedy = f"wait {seconds} s, and check the token"
            raise refused(429, field, "too many wrong tokens from this address", remedy, ("retry-after", seconds))
        token = await asyncio.to_thread(self._token, digest)
        if token is None:
            self._good.pop(digest, None)
            await self._failed(address, now)
            raise _unauthorised(field, "this token opens nothing: it is wrong, expired or revoked")
        return token

    def failures(self, address: str) -> int:
        """How many wrong tokens this address, or its site, has shown of late."""
        return self._brake.failures(site_of(address), self._office.clocks.now())

    async def _failed(self, address: str, now: int) -> None:
        site = site_of(address)
        failures = self._brake.failed(site, now)
        if failures % BURST == 0:
            self._office.log.warning("wrong admin tokens are shown", address=address, site=site, failures=failures)
            await asyncio.to_thread(self._note, address, site, failures)

    def _note(self, address: str, site: str, failures: int) -> None:
        told = audit.as_json({"wrong_tokens": failures})
        entry = audit.Entry(self._office.clocks.wall(), "nobody", "", address, "session.refuse", "", site, after=told)
        try:
            with writing(self._office.engine) as connection:
                audit.write(connection, entry)
        except SQLAlchemyError as error:
            raise away(type(error).__name__) from None

    def _token(self, digest: bytes) -> Token | None:
        wall = self._office.clocks.wall()
        try:
            engine = self._office.engine
            with engine.connect() as connection:
                token = tokens.holder(connection, digest, wall)
            if token is not None and self._is_due(digest, wall):
                with writing(engine) as connection:
                    tokens.used(connection, token.name, wall)
        except SQLAlchemyError as error:
            raise away(type(error).__name__) from None
        return token

    def _session(self, digest: bytes, *, noted: bool) -> Session | None:
        wall, settings = self._office.clocks.wall(), self._office.declaration.now.admin
        try:
            engine: Engine = self._office.engine
            with engine.connect() as connection:
                found = sessions.holder(connection, digest, wall, settings.idle_us)
            if found is not None and not found.token and found.basis != basis_of(settings.oidc):
                return None  # who may come in that way is no longer said as it was
            if found is not None and noted and self._is_due(digest, wall):
                with writing(engine) as connection:
                    sessions.seen(connection, digest, wall)
        except SQLAlchemyError as error:
            raise away(type(error).__name__) from None
        return found

    def _is_due(self, digest: bytes, wall: int) -> bool:
        """Is its use to be noted? Once a minute: it is a write."""
        if wall - self._good.get(digest, 0) < MINUTE_US:
            return False
        if len(self._good) >= _MOST:
            self._good.clear()
        self._good[digest] = wall
        return True


def address_of(request: Request) -> str:
    """Who is connected."""
    return request.client.host if request.client is not None else ""


def site_of(address: str) -> str:
    """What its failures are counted by: IPv6 by its /64, IPv4 written as IPv6 as IPv4, what is no address as it is."""
    packed = peer_address(address)
    if packed == UNKNOWN:
        return address
    return f"{shown(packed[:_SITE] + bytes(_V6 - _SITE))}/64" if len(packed) == _V6 else shown(packed)


def _of_session(found: Session, address: str) -> Actor:
    return Actor(found.name, found.role, found.namespace, address)


def _read(shown: str, field: str) -> str:
    """The token itself: in a header behind its kind, in a body alone."""
    if not shown:
        raise _unauthorised(field, "no admin token is shown")
    kind, _, token = shown.partition(" ") if field == _HEADER else ("bearer", "", shown)
    token = token.strip()
    if kind.lower() != "bearer" or not token.startswith(TOKEN_PREFIX) or len(token) > _LONGEST or not token.isascii():
        raise _unauthorised(field, f"is no admin token: one begins with {TOKEN_PREFIX}")
    return token


def _unauthorised(field: str, problem: str) -> Refused:
    if field != _HEADER:
        return refused(401, field, problem, "`tidegate admin token` makes one when all are lost")
    remedy = "send `Authorization: Bearer tga_…`; `tidegate admin token` makes one when all are lost"
    return refused(401, field, problem, remedy, ("www-authenticate", 'Bearer realm="tidegate admin"'))
