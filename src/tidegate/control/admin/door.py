"""Who asks: an admin token, shown as `Authorization: Bearer tga_…`, and nothing else."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from tidegate.control.admin.brake import Brake
from tidegate.control.admin.office import Office, away
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.rights import Actor
from tidegate.control.admin.secrets import TOKEN_PREFIX
from tidegate.model.keys import digest_of
from tidegate.store import tokens
from tidegate.store.engine import writing
from tidegate.store.tokens import Token

_MINUTE_US = 60_000_000
_MOST = 1_024  # tokens that are remembered as good
_LONGEST = 200


class Door:
    """Finds the holder of a token by its digest. An address that shows wrong ones is slowed (`brake.py`)."""

    __slots__ = ("_brake", "_good", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._brake = Brake()
        self._good: dict[bytes, int] = {}  # digests that were good before, and when their use was noted

    async def actor(self, request: Request) -> Actor:
        """Who asks. Raises `Refused`: 401, or 429 for who has shown too many wrong tokens."""
        address = request.client.host if request.client is not None else ""
        digest = digest_of(_shown(request.headers.get("authorization", "")))
        now = self._office.clocks.now()
        wait_us = 0 if digest in self._good else self._brake.wait_us(address, now)
        if wait_us:
            seconds = str(-(-wait_us // 1_000_000))
            remedy = f"wait {seconds} s, and check the token"
            raise refused(
                429, "header.authorization", "too many wrong tokens from this address", remedy, ("retry-after", seconds)
            )
        token = await asyncio.to_thread(self._holder, digest)
        if token is None:
            self._good.pop(digest, None)
            self._brake.failed(address, now)
            raise _unauthorised("this token opens nothing: it is wrong, expired or revoked")
        return Actor(token.name, token.role, token.namespace, address)

    def _holder(self, digest: bytes) -> Token | None:
        wall = self._office.clocks.wall()
        try:
            engine = self._office.engine
            with engine.connect() as connection:
                token = tokens.holder(connection, digest, wall)
            if token is not None and wall - self._good.get(digest, 0) >= _MINUTE_US:
                if len(self._good) >= _MOST:
                    self._good.clear()
                self._good[digest] = wall
                with writing(engine) as connection:
                    tokens.used(connection, token.name, wall)
        except SQLAlchemyError as error:
            raise away(type(error).__name__) from None
        return token


def _shown(header: str) -> str:
    kind, _, token = header.partition(" ")
    token = token.strip()
    if not header:
        raise _unauthorised("no admin token is shown")
    if kind.lower() != "bearer" or not token.startswith(TOKEN_PREFIX) or len(token) > _LONGEST or not token.isascii():
        raise _unauthorised(f"is no admin token: one begins with {TOKEN_PREFIX}")
    return token


def _unauthorised(problem: str) -> Refused:
    remedy = "send `Authorization: Bearer tga_…`; `tidegate admin token` makes one when all are lost"
    return refused(401, "header.authorization", problem, remedy, ("www-authenticate", 'Bearer realm="tidegate admin"'))
