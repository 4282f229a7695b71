"""What workers and the process that keeps the region's part say to each other, over `state_dir/regions.sock`.

A frame is the length as u32 and one msgpack value. Moments are the machine's monotonic microseconds.
"""

import struct
from typing import Final

import msgspec

FRAME: Final = struct.Struct("!I")
LARGEST: Final = 16 * 1024 * 1024


class Dimension(msgspec.Struct, array_like=True):
    """One limit of a lane: all that was charged so far, and what waits, as far as it is known."""

    sent: int
    waits: int
    limit: int
    window_us: int


class Row(msgspec.Struct, array_like=True):
    """One lane of a shared scope."""

    quota: str
    name: str  # for people: PROVIDER/SCOPE/MODEL
    drain_us: int
    epoch: int  # of what it keeps to now
    seq: int
    dims: list[Dimension]


class Spending(msgspec.Struct, array_like=True):
    """A worker's lanes."""

    worker: int
    rows: list[Row]


class Portion(msgspec.Struct, array_like=True):
    """What the node's workers may spend by."""

    quota: str
    ppm: int
    floor: int
    until: int
    epoch: int
    seq: int
