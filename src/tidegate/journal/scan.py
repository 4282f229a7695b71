"""Reading a segment's bytes, whatever has become of them.

What is damaged (a bit that flipped, a page that a dying kernel did not write) is stepped over: the next whole record is
looked for, and what lies between is told as `Damage`. O(bytes).
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from tidegate.journal.segment import HEADER, MAGIC, Checkpoint, Record
from tidegate.model.facts import Fact

_decode: Final = msgspec.msgpack.Decoder[Record](Record).decode
# Bound once: every record passes here.
_header: Final = HEADER.unpack_from
_checksum: Final = zlib.crc32
# How the payload of a record begins: an array of up to 15 or 65,535 items, the first of them its tag.
_BEGINNING: Final = re.compile(rb"(?:[\x90-\x9f]|\xdc..)\xa1[chik]", re.DOTALL)


class Damage(NamedTuple):
    """Bytes of a segment that are no record."""

    offset: int
    size: int


class Scanned(NamedTuple):
    """One record, and the offset behind it; or what is damaged, and the offset of the next whole record."""

    found: Record | Damage
    end: int


class Gathered(NamedTuple):
    """Facts in order, what of the whole records was none, and the offset behind all of them."""

    facts: list[Fact]
    damages: list[Damage]
    end: int


def whole(data: bytes, offset: int) -> Iterator[Scanned]:
    """The whole records from `offset` on, up to the first that is not."""
    view = memoryview(data)
    while (end := _end(data, view, offset)) > 0:
        try:
            yield Scanned(_decode(view[offset + HEADER.size : end]), end)
        except msgspec.DecodeError:  # written by another version
            yield Scanned(Damage(offset, end - offset), end)
        offset = end


def gather(data: bytes) -> Gathered:
    """The same from the data's beginning on, all at once: half the cost of `whole` a record."""
    facts: list[Record] = []
    damages: list[Damage] = []
    offset, begin = 0, HEADER.size
    while begin <= len(data):
        size, checksum = _header(data, offset)
        end = begin + size
        payload = data[begin:end]
        if size == 0 or end > len(data) or _checksum(payload) != checksum:
            break
        try:
            facts.append(_decode(payload))
        except msgspec.DecodeError:
            damages.append(Damage(offset, end - offset))
        offset, begin = end, end + HEADER.size
    return Gathered([fact for fact in facts if not isinstance(fact, Checkpoint)], damages, offset)


def resume(data: bytes, offset: int) -> int:
    """Where the next whole record begins behind one that is not; the end of the data when there is none. O(bytes)."""
    view = memoryview(data)
    for match in _BEGINNING.finditer(data, offset + 1 + HEADER.size):
        begin = match.start() - HEADER.size
        if _end(data, view, begin) > 0:
            return begin
    return len(data)


def scan(data: bytes) -> Iterator[Scanned]:
    """All whole records of a segment that nobody writes any more, and what is damaged between and behind them."""
    offset = len(MAGIC) if data.startswith(MAGIC) else 0
    while True:
        for scanned in whole(data, offset):
            yield scanned
            offset = scanned.end
        if data.count(0, offset) == len(data) - offset:
            return
        begin = resume(data, offset)
        yield Scanned(Damage(offset, begin - offset), begin)
        offset = begin


def records(data: bytes) -> Iterator[tuple[Record, int]]:
    """The whole records of a segment's bytes, each with the offset behind it; what is damaged is left out."""
    for found, end in scan(data):
        if not isinstance(found, Damage):
            yield found, end


def _end(data: bytes, view: memoryview, offset: int) -> int:
    """The offset behind the whole record that begins here; 0 when none does."""
    start = offset + HEADER.size
    if start > len(data):
        return 0
    size, checksum = HEADER.unpack_from(data, offset)
    end: int = start + size
    if size == 0 or end > len(data) or zlib.crc32(view[start:end]) != checksum:
        return 0
    return end
