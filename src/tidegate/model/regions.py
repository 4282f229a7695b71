"""The words of regions that share a quota: who has which part of it, and what each node says of itself.

A *quota* is a lane's: one scope, one model; its name is the lane's key, a digest that tells nothing of the credential.
A *part* is in parts per million of the provider's limit. A *node* is one machine's process of a region that keeps its
part; its workers spend it. Everything stands in one store that all regions reach: `Parts` under `parts/QUOTA`, changed
by compare-and-swap only, `News` under `news/REGION/NODE`, `totals/REGION/NODE` for reports.
"""

from typing import Final

import msgspec

from tidegate.model.record import Record

WHOLE: Final = 1_000_000
SOCKET: Final = "regions.sock"  # in the state directory


class RegionSettings(Record, frozen=True):
    """Which region this is, and what it shares with which others. `name` = "": there is one region."""

    name: str = ""
    all: tuple[str, ...] = ()
    store: str = ""  # etcd+http://h1:2379,h2:2379 | etcd+https://… | redis://…
    prefix: str = "tidegate"
    node: str = ""  # this machine's name, "" = its host name
    floor_ppm: int = 50_000  # what every region always has, heard or not
    lease_us: int = 10_000_000
    rebalance_us: int = 1_000_000
    timeout_us: int = 1_000_000  # of one exchange with a server of the store
    scopes: tuple[str, ...] = ()  # those that are shared, as PROVIDER/SCOPE; () = all


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One region's line. Others count on `part`; the region itself spends by `use`, which is smaller while it gives."""

    part: int
    use: int
    seq: int  # of this `use`: nodes say which they have seen


class Parts(msgspec.Struct, array_like=True, frozen=True):
    """Who has which part of one quota."""

    epoch: int  # another one: what stood here before is unknown
    drain_us: int  # what was spent before a part shrank may count for so long
    entries: dict[str, Entry]


class News(msgspec.Struct, array_like=True, frozen=True):
    """What a node says of itself at each beat."""

    beat: int
    demand: dict[str, int] = {}  # by quota: what it would spend, in parts per million of the limit
    seen: dict[str, tuple[int, int]] = {}  # by quota: epoch and sequence of the `use` that all of its workers keep


class Counted(msgspec.Struct, array_like=True, frozen=True):
    """One counter of one node: it only grows; what it takes back grows beside it (a PN-counter's two halves)."""

    up: int = 0
    down: int = 0
