"""An answer as bytes, for the layers beyond memory: a head of 16 bytes, then msgpack, deflated when it is long.

| bytes | |
|---|---|
| 3 | `TGA` |
| 1 | version of this layout: `VERSION` |
| 4 | CRC-32 of everything behind it |
| 4 | how long the payload is when it is inflated |
| 1 | 1 = the payload is deflated (RFC 1950) |
| 3 | 0 |

Little-endian. A frame that was changed on its way is told by its checksum; one flipped bit, or any within 32 bits of
each other, always.
"""

import struct
import zlib

import msgspec

from tidegate.model.cached import CacheEntry, Cost, Labels

VERSION = 1
MOST = 1 << 28  # bytes of a payload: no answer is as large, and no frame may claim more
_MAGIC = b"TGA"
_HEAD = struct.Struct("<3sBI")
_SUMMED = struct.Struct("<IB3x")  # what the checksum covers, with the payload
_BEGIN = _HEAD.size + _SUMMED.size
_FAST = 1  # zlib's level: a third of the time of its default, for a tenth more bytes


class _Kept(msgspec.Struct, array_like=True, gc=False):
    """The payload. Fields may be added at the end, with a default."""

    key: bytes
    kind: str
    dialect: str
    body: bytes
    streamed: bool
    beats: tuple[tuple[int, int], ...]
    namespace: str
    model: str
    strategy: str
    tags: tuple[str, ...]
    prompt: int
    completion: int
    nano: int
    call_id: int
    stored_us: int
    fresh_until_us: int
    stale_until_us: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def encode(entry: CacheEntry, compress_above: int) -> bytes:
    """The frame; its payload is deflated when it has more than `compress_above` bytes. O(bytes), 4 MiB take 0.1 s."""
    labels, cost = entry.labels, entry.cost
    payload = _encode(
        _Kept(
            entry.key,
            entry.kind,
            entry.dialect,
            entry.body,
            entry.streamed,
            entry.beats,
            labels.namespace,
            labels.model,
            labels.strategy,
            labels.tags,
            cost.prompt,
            cost.completion,
            cost.nano,
            entry.call_id,
            entry.stored_us,
            entry.fresh_until_us,
            entry.stale_until_us,
        )
    )
    deflated = zlib.compress(payload, _FAST) if len(payload) > compress_above else payload
    smaller = len(deflated) < len(payload)
    summed = _SUMMED.pack(len(payload), smaller) + (deflated if smaller else payload)
    return _HEAD.pack(_MAGIC, VERSION, zlib.crc32(summed)) + summed


def decode(frame: bytes) -> CacheEntry:
    """The answer. Raises `ValueError`: it is damaged, of another version, or no frame at all. O(bytes)."""
    kept = _decode(_payload(frame))
    return CacheEntry(
        kept.key,
        kept.kind,
        kept.dialect,
        kept.body,
        kept.streamed,
        kept.beats,
        Labels(kept.namespace, kept.model, kept.strategy, kept.tags),
        Cost(kept.prompt, kept.completion, kept.nano),
        kept.call_id,
        kept.stored_us,
        kept.fresh_until_us,
        kept.stale_until_us,
    )


def _payload(frame: bytes) -> bytes:
    if len(frame) < _BEGIN:
        raise ValueError("a kept answer is cut off")
    magic, version, checksum = _HEAD.unpack_from(frame)
    if magic != _MAGIC or version != VERSION:
        raise ValueError("a kept answer is of another version of Tidegate")
    if zlib.crc32(memoryview(frame)[_HEAD.size :]) != checksum:
        raise ValueError("a kept answer is damaged")
    size, deflated = _SUMMED.unpack_from(frame, _HEAD.size)
    if size > MOST:
        raise ValueError("a kept answer claims to be larger than any is")
    return _inflated(frame, size) if deflated else frame[_BEGIN:]


def _inflated(frame: bytes, size: int) -> bytes:
    """At most `size` bytes, whatever the data would become."""
    inflate = zlib.decompressobj()
    try:
        payload = inflate.decompress(memoryview(frame)[_BEGIN:], size)
    except zlib.error:
        raise ValueError("a kept answer cannot be inflated") from None
    if len(payload) != size or not inflate.eof:
        raise ValueError("a kept answer has not the size that it claims")
    return payload
