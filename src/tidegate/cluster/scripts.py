"""The Lua scripts, as text and by their SHA-1 (`EVALSHA`).

Each takes one key and one argument in msgpack, and returns msgpack: `exchange` an `Ask` for a `Told`, `members` a
`Beat` for a `Stand` (`model/cluster.py`). They need `cmsgpack` and server time, which Redis 7.0 and Valkey have.
"""

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final

from tidegate.policy.lease.times import LEASE_US, LEAST_US, LOST_US, RENEW_US, STALE_US

_PARTS: Final = {  # one script is its parts, one after the other: they share what is local
    "exchange": ("words", "slots", "dimension", "fund", "losses", "turns", "grant", "exchange"),
    "members": ("members",),
    "claim": ("claim",),
}
_TIMES: Final = b"local LEASE_US, LEAST_US, RENEW_US, STALE_US, LOST_US = %d, %d, %d, %d, %d\n" % (
    LEASE_US,
    LEAST_US,
    RENEW_US,
    STALE_US,
    LOST_US,
)


class Script:
    """One script. `sha` in hexadecimal, as the server names it."""

    __slots__ = ("name", "sha", "text")

    def __init__(self, name: str, text: bytes) -> None:
        self.name = name
        self.text = text
        self.sha = sha1(text, usedforsecurity=False).hexdigest().encode()


def _read(name: str) -> Script:
    folder = files("tidegate.cluster") / "lua"
    return Script(name, _TIMES + b"\n".join((folder / f"{part}.lua").read_bytes() for part in _PARTS[name]))


@cache
def exchange() -> Script:
    """A fund's exchange: KEYS[1] the fund, ARGV[1] `Ask`; returns `Told`."""
    return _read("exchange")


@cache
def members() -> Script:
    """A member's beat: KEYS[1] the membership, ARGV[1] `Beat`; returns `Stand`."""
    return _read("members")


@cache
def claim() -> Script:
    """Whose the prefix is: KEYS[1] the marker, ARGV[1] `claims.Claim`; returns `claims.Verdict`."""
    return _read("claim")
