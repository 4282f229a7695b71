"""Which cluster a prefix belongs to, and which gate a member's name: two on one prefix would share their limits.

A gate remembers the id of its cluster in its state directory (`Identity`), and the shared state holds it in a marker. A
server that lost its data gets it back from the first gate that remembers; one that holds another's is refused.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from tidegate.cluster.call import Call
from tidegate.cluster.scripts import claim as script

NAME: Final = "cluster.id"
FORMAT: Final = 1  # of everything that is kept under the prefix
LIFE_US: Final = 3_000_000  # of a claim to a name; it is renewed once a second
OK: Final = 0
OTHER: Final = 1
OTHER_FORMAT: Final = 2
TAKEN: Final = 3


class Identity(msgspec.Struct, frozen=True):
    """`home` tells this state directory from every other one; `cluster` is "" before one was joined."""

    home: str
    cluster: str = ""


class Claim(msgspec.Struct, array_like=True):
    """What the script is told."""

    known: str
    fresh: str
    format: int
    member: str
    home: str
    life_us: int
    leaving: bool = False


class Verdict(msgspec.Struct, array_like=True):
    """What it says."""

    status: int
    cluster: str
    format: int
    now: int


def claim_of(prefix: str, identity: Identity, member: str, fresh: str, *, leaving: bool = False) -> Call:
    """The call that claims `member`'s name, or gives it up. `fresh`: the id of a cluster that begins with it."""
    what = Claim(identity.cluster, fresh, FORMAT, member, identity.home, LIFE_US, leaving)
    return Call(script(), f"{prefix}:{{members}}:claim".encode(), msgspec.msgpack.encode(what))


def verdict_of(reply: bytes) -> Verdict:
    """Raises `msgspec.DecodeError`."""
    return msgspec.msgpack.decode(reply, type=Verdict)


def identity_of(state_dir: Path, fresh: str) -> Identity:
    """As it is written in the state directory; the first who asks writes it, with `fresh` as its home.

    Several workers of a gate ask at the same time: they all get the same. Raises `OSError`.
    """
    path = state_dir / NAME
    found = _read(path)
    if found is None:
        made = _written(state_dir, Identity(fresh))
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
        found = _read(path)
    if found is None:  # it cannot be read: nobody knows what it said
        found = Identity(fresh)
        remember(state_dir, found)
    return found


def remember(state_dir: Path, identity: Identity) -> None:
    """Which cluster was joined. Raises `OSError`."""
    _written(state_dir, identity).replace(state_dir / NAME)


def _written(state_dir: Path, identity: Identity) -> Path:
    """In a file of its own, whoever else writes."""
    number, name = tempfile.mkstemp(prefix=f"{NAME}.", dir=state_dir)
    with os.fdopen(number, "wb") as file:
        file.write(msgspec.json.encode(identity))
    return Path(name)


def _read(path: Path) -> Identity | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except (OSError, msgspec.DecodeError):
        return None
