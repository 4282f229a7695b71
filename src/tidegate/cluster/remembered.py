"""What a member writes down about its cluster, so that one which is restarted while the shared state is away can go on.

`cluster.json` in the worker's own folder: who it is, which cluster it is of, and what part of each limit was its own
when it last heard. Losing it costs that, and nothing else.
"""

import contextlib
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "cluster.json"


class Remembered(msgspec.Struct, frozen=True):
    """As its last `Stand` said."""

    member: str
    share_ppm: int = 0
    open_ppm: int = 0
    members: int = 0
    heard_wall_us: int = 0  # when the membership was last heard of, at least

    def worth(self, newer: "Remembered", after_us: int) -> bool:
        """Whether `newer` is to be written instead: it says something else, or was heard so much later."""
        same = msgspec.structs.replace(newer, heard_wall_us=self.heard_wall_us) == self
        return not same or newer.heard_wall_us - self.heard_wall_us >= after_us


def load(folder: Path) -> Remembered | None:
    """None where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None


def save(folder: Path, what: Remembered) -> None:
    """Whole or not at all; a full disk costs what was to be remembered."""
    made = folder / f"{NAME}.new"
    with contextlib.suppress(OSError):
        made.write_bytes(msgspec.json.encode(what))
        made.replace(folder / NAME)
