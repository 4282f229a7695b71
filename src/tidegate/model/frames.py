"""Records in a file that is only ever appended to: length (u32), CRC-32 (u32), payload; little-endian.

A reader takes a length of 0 for the end: what is not written yet, or what a dying kernel left.
"""

import struct
import zlib

HEADER = struct.Struct("<II")


class Corrupt(ValueError):
    """A record whose checksum or length cannot be: it lies from `at` to `end` of the data."""

    def __init__(self, at: int, end: int) -> None:
        super().__init__(f"the record at byte {at} is damaged")
        self.at = at
        self.end = end


def frame(payload: bytes) -> bytes:
    """A whole record."""
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def unframe(data: bytes, at: int, most: int) -> bytes | None:
    """The payload of the record that begins at `at`; None while it is not whole. The next begins behind it.

    Raises `Corrupt`, also for a payload of more than `most` bytes. O(payload).
    """
    begins = at + HEADER.size
    if begins > len(data):
        return None
    size, checksum = HEADER.unpack_from(data, at)
    if size == 0:
        return None
    ends = begins + size
    if size > most:
        raise Corrupt(at, ends)
    if ends > len(data):
        return None
    payload = data[begins:ends]
    if zlib.crc32(payload) != checksum:
        raise Corrupt(at, ends)
    return payload
