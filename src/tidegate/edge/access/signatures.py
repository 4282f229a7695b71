"""Signed requests at the door: whose key signed the head, once each. The body is compared when it is here."""

import logging
from typing import Final

from tidegate.edge.access.principals import Clients, Principal
from tidegate.model.snapshot import SigningSettings
from tidegate.policy.access import signature
from tidegate.policy.access.nonces import FORGOTTEN, FRESH, FULL, Nonces
from tidegate.policy.access.signature import BadSignature
from tidegate.ports import NonceLog
from tidegate.wire.exchange import Exchange

_log = logging.getLogger(__name__)

_INPUT: Final = b"signature-input"
_SIGNATURE: Final = b"signature"
_DIGEST: Final = b"content-digest"
_OURS: Final = frozenset((_INPUT, _SIGNATURE, _DIGEST))
REPLAYED: Final = "This nonce has been used. Sign each attempt anew, with a nonce of its own."
TOO_OLD: Final = (
    "The signature was created before this worker took the key's requests, or the clock has been moved, so it may have "
    "been used. Sign it anew."
)
_NO_ROOM: Final = "The gate remembers as many nonces as it may (`max_nonces` of `signing`)."
_NOT_KEPT: Final = "The gate cannot remember nonces: its state directory cannot be written."


class NoRoom(Exception):
    """A nonce cannot be remembered now. Nothing is wrong with the signature. `wait_us` = until it can, 0 = unknown."""

    def __init__(self, message: str, wait_us: int) -> None:
        super().__init__(message)
        self.wait_us = wait_us


class Nonce:
    """What stands for the nonce of a signature (16 bytes), and when it was made and must be used (wall clock)."""

    __slots__ = ("created_us", "mark", "until_us")

    def __init__(self, mark: bytes, created_us: int, skew_us: int) -> None:
        self.mark = mark
        self.created_us = created_us
        self.until_us = created_us + skew_us


class Signatures:
    """Judges signatures. O(head) before the body is read, O(body) after it."""

    __slots__ = ("_log", "_nonces", "_skew_us")

    def __init__(self, settings: SigningSettings, nonces: Nonces, log: NonceLog) -> None:
        self._skew_us = settings.skew_us
        self._nonces = nonces
        self._log = log

    def change(self, settings: SigningSettings) -> None:
        """Other settings from now on."""
        self._skew_us = settings.skew_us
        self._nonces.change(settings.skew_us, settings.max_nonces)

    def distrust(self, wall: int) -> None:
        """There are keys now whose signatures others have judged: what was signed until now is refused."""
        self._nonces.forget_before(wall)

    def judge(self, exchange: Exchange, clients: Clients, wall: int) -> tuple[Principal, bytes, Nonce]:
        """Who signed this head, the digest its body must have, and its nonce for `use`. Raises `BadSignature`.

        Everything is done for an unknown keyid that is done for a known one.
        """
        header = exchange.header
        given, mac, digest = header(_INPUT), header(_SIGNATURE), header(_DIGEST)
        more = 0 - (given is not None) - (mac is not None) - (digest is not None)
        for name, _ in exchange.headers:
            if name in _OURS:
                more += 1
        if more:
            raise BadSignature(signature.NOT_ONE)
        signed = signature.read(given or b"", mac or b"", digest or b"")
        signature.check_clock(signed, wall, self._skew_us)
        client = clients.by_name(signed.keyid.decode("ascii"))
        key = None if client is None else client.signing_key
        signature.check_mac(signed, exchange.method, exchange.path, exchange.query, key)
        if client is None:
            raise BadSignature(signature.WRONG)
        return client, signed.content_digest, Nonce(signature.mark_of(signed), signed.created_us, self._skew_us)

    def use(self, nonce: Nonce, wall: int) -> None:
        """Its nonce is used, if it was not yet. Raises `BadSignature` when it was, `NoRoom` when nobody can say so."""
        nonces, mark, created_us = self._nonces, nonce.mark, nonce.created_us
        if nonces.due(wall):
            self._turn(wall)
        verdict = nonces.judge(mark, created_us)
        if verdict == FULL:
            raise NoRoom(_NO_ROOM, nonces.turns_at - wall)
        if verdict != FRESH:
            raise BadSignature(TOO_OLD if verdict == FORGOTTEN else REPLAYED)
        try:
            self._log.append(mark, created_us)
        except OSError as error:
            _log.error("nonces cannot be written: %s", error.strerror)
            raise NoRoom(_NOT_KEPT, 0) from None
        nonces.add(mark, created_us)

    def _turn(self, wall: int) -> None:
        """The file first: what it forgets must not be known to us alone."""
        try:
            self._log.turn(self._nonces.next_floor(wall))
        except OSError as error:
            _log.error("nonces cannot be written: %s", error.strerror)
            return  # nothing is forgotten; it is tried again with the next signature
        self._nonces.turn(wall)
