"""What happened to calls besides the obvious, as compact bytes: for who looks at one of them.

Most calls have none. A story is a msgpack array of steps behind a byte that says whether it is compressed; a few of
them are dozens of bytes, and what is longer shrinks to a third. On PostgreSQL the table is partitioned as `calls` is.
"""

import zlib
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, SmallInteger, Table, and_, select

from tidegate.model.facts import CallRecord
from tidegate.model.story import MOST, Step
from tidegate.store.metadata import METADATA
from tidegate.store.rows import Row
from tidegate.units import DAY_US

_NUMBER: Final = Integer().with_variant(SmallInteger(), "postgresql")
_PLAIN, _PACKED = b"\0", b"\1"
_SMALL: Final = 256  # bytes up to which compressing is not worth it
_MOST_BYTES: Final = 1_048_576  # of a story that is read; `story.MOST` steps are a fraction of it
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[Step, ...]).decode

STORIES: Final = Table(
    "stories",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="its call's"),
    Column("journal", _NUMBER, primary_key=True, autoincrement=False),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("steps", LargeBinary, nullable=False, comment="0 and msgpack, or 1 and the same compressed"),
    comment="What happened to a call besides the obvious; most calls have none",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)


def pack(steps: Sequence[Step]) -> bytes:
    """As it is kept. O(steps), which are few."""
    plain = _encode(tuple(steps[:MOST]))
    return _PLAIN + plain if len(plain) <= _SMALL else _PACKED + zlib.compress(plain, 6)


def unpack(kept: bytes) -> tuple[Step, ...]:
    """What was packed; nothing of what cannot be read: a look at a call must not fail by its story."""
    try:
        plain = kept[1:]
        if kept[:1] == _PACKED:
            plain = zlib.decompressobj().decompress(plain, _MOST_BYTES)
        return _decode(plain)
    except (zlib.error, msgspec.DecodeError):
        return ()


def story_row(journal: int, of: CallRecord) -> Row:
    """The row of `stories`."""
    return of.at_us // DAY_US, journal, of.call_id, pack(of.story)


def story(connection: Connection, day: int, journal: int, call_id: int) -> tuple[Step, ...]:
    """Of one call; empty where nothing happened."""
    table = STORIES.c
    its = and_(table.day == day, table.journal == journal, table.call_id == call_id)
    kept = connection.scalar(select(table.steps).where(its))
    return () if kept is None else unpack(bytes(kept))
