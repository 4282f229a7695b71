"""The credentials of one scope, used in turn.

A key that the provider knows no more leaves the ring, and comes back by a probe: after `PAUSE_US` one call is sent with
it, and an answer restores it. The last key never leaves: what it is refused is the scope's, whose breaker closes.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256

from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure

PAUSE_US = 600_000_000  # between probes of a key that was refused
GOOD, DEAD, COOLING, DRAINED = "good", "dead", "cooling", "drained"  # cooling: refused, and being tried again
UNAUTHORIZED, FORBIDDEN = 401, 403
# A 403 is mostly about what a key may do, and money is mostly the whole scope's, unless the provider says otherwise.
_GONE = (b"revoked", b"deactivated", b"disabled", b"deleted", b"expired", b"invalid api key", b"invalid_api_key")
_OWN_MONEY = (b"key limit", b"limit of this key", b"budget of this key", b"key's limit", b"key's budget")
_LOOKED_AT = 4_096  # bytes of a body


@dataclass(frozen=True, slots=True)
class Retired:
    """A key is out of the ring: its digest, how many are left, and when it is tried again (monotonic microseconds).

    `news` = it left by this refusal; False for the others that were in flight with it.
    """

    digest: str
    left: int
    again_at: int
    news: bool


def fingerprint(key: bytes) -> str:
    """What a key is called where it may be seen: eight hexadecimal digits of its SHA-256."""
    return sha256(key).hexdigest()[:8]


def is_dead(failure: Failure) -> bool:
    """Whether it is the key that is refused, and not the scope or the request."""
    answer = failure.answer
    if answer is None:
        return False
    if failure.out in ("model", "key"):
        return failure.out == "key" and failure.reason in (Reason.AUTH, Reason.BILLING)
    if failure.reason is Reason.AUTH:
        return answer.status == UNAUTHORIZED or (answer.status == FORBIDDEN and _says(answer.body, _GONE))
    return failure.reason is Reason.BILLING and _says(answer.body, _OWN_MONEY)


def _says(body: bytes, words: tuple[bytes, ...]) -> bool:
    text = body[:_LOOKED_AT].lower()
    return any(word in text for word in words)


class KeyRing:
    """Round robin over the keys of a scope. `next` is O(1), `retire` and `restore` are O(keys)."""

    __slots__ = ("_drained", "_out", "_ring", "_trials", "accounts")

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._ring = deque(key.encode("latin-1") for key in keys)
        self.accounts = {key: fingerprint(key) for key in self._ring}
        self._out: deque[tuple[int, bytes]] = deque()  # when to try again, in that order
        self._trials: set[bytes] = set()  # of those, which are being tried
        self._drained: set[bytes] = set()  # taken out of service by an operator

    def __len__(self) -> int:
        """How many keys are in use."""
        return len(self._ring)

    @property
    def retired(self) -> int:
        """How many keys were refused and are not in use."""
        return len(self._out)

    @property
    def out_of_service(self) -> bool:
        """Whether an operator has left it no key."""
        return len(self._drained) == len(self.accounts)

    def drain(self, digests: Collection[str]) -> None:
        """Keys of these fingerprints, and no others, are out of service: nobody is sent with them. O(keys).

        Where the provider refuses all the others, one of them is used: what it is told is the scope's.
        """
        drained = {key for key, digest in self.accounts.items() if digest in digests}
        back = self._drained - drained
        self._drained = drained
        out = deque(one for one in self._out if one[1] not in drained)
        refused = {key for _, key in out}
        ring = [key for key in self._ring if key not in drained]
        ring += [key for key in self.accounts if key in back and key not in ring and key not in refused]
        if not ring and out:
            ring = [out.popleft()[1]]
        if ring:  # else nobody is sent: who has its turn already is served by what there is
            self._ring = deque(ring)
        self._out = out
        self._trials &= {key for _, key in out}

    def states(self) -> Iterator[tuple[str, str, int]]:
        """Each key by its fingerprint, how it stands, and when it is tried again (monotonic), 0 = no such time."""
        out = {key: at for at, key in self._out}
        for key, digest in self.accounts.items():
            if key in self._drained:
                yield digest, DRAINED, 0
            elif key in out:
                yield digest, COOLING if key in self._trials else DEAD, out[key]
            else:
                yield digest, GOOD, 0

    def of(self, digest: str) -> bytes | None:
        """The key of this fingerprint; None where it is none of these. O(keys)."""
        return next((key for key, one in self.accounts.items() if one == digest), None)

    def next(self, now: int) -> bytes:
        """The key whose turn it is; once in a long while one that was refused, to see whether it is good again."""
        if self._out and self._out[0][0] <= now:
            _, key = self._out.popleft()
            self._out.append((now + PAUSE_US, key))
            self._trials.add(key)
            return key
        ring = self._ring
        if len(ring) > 1:
            ring.rotate(-1)
        return ring[0]

    def retire(self, key: bytes, now: int) -> Retired | None:
        """The provider refused this key. None when it is the only one left, or none of these."""
        news = key in self._ring
        if news:
            if len(self._ring) == 1:
                return None
            self._ring.remove(key)
            self._out.append((now + PAUSE_US, key))
        self._trials.discard(key)
        again = next((at for at, one in self._out if one == key), None)
        return None if again is None else Retired(fingerprint(key), len(self._ring), again, news)

    def hear(self, digest: str, now: int) -> bool:
        """Another worker was refused with the key of this fingerprint. True when it left the ring by that. O(keys)."""
        key = next((one for one in self._ring if fingerprint(one) == digest), None)
        return key is not None and self.retire(key, now) is not None

    def restore(self, key: bytes) -> bool:
        """The provider answered this key. True when it was on trial, and is back now. Cheap while none is.

        An answer to a call that was sent before the refusal restores nothing.
        """
        if key not in self._trials:
            return False
        self._trials.remove(key)
        self._out = deque(one for one in self._out if one[1] != key)
        self._ring.append(key)
        return True
