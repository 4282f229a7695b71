"""An answer as bytes: nothing is lost, and what was changed on its way is never taken for an answer."""

import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.cache.frame import MOST, VERSION, _Kept, decode, encode
from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.testing.kept import entry_of

NUMBERS = st.integers(0, 2**62)
ENTRIES = st.builds(
    CacheEntry,
    st.binary(min_size=32, max_size=32),
    st.sampled_from(("chat", "messages", "embedding")),
    st.text(max_size=10),
    st.binary(max_size=2_000) | st.binary(max_size=20).map(lambda piece: piece * 1_000),
    st.booleans(),
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5).map(tuple),
    st.builds(Labels, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9), st.tuples(st.text(max_size=9))),
    st.builds(Cost, NUMBERS, NUMBERS, NUMBERS),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
)


def facts(entry: CacheEntry) -> list[object]:
    of = (entry, entry.labels, entry.cost)
    return [getattr(next(one for one in of if hasattr(one, name)), name) for name in _Kept.__struct_fields__]


@given(ENTRIES, st.sampled_from((0, 100, 1 << 30)))
def test_nothing_is_lost(entry: CacheEntry, compress_above: int) -> None:
    """Whatever an entry holds, deflated or not."""
    assert facts(decode(encode(entry, compress_above))) == facts(entry)


def test_what_is_long_is_deflated() -> None:
    """Above the size that is named; and only where that makes it smaller."""
    words = entry_of(1, b"the same words again and again " * 300, wall=0)
    noise = entry_of(1, random.Random(7).randbytes(9_000), wall=0)
    assert len(encode(words, 4_096)) < len(words.body) // 10
    assert len(encode(words, 10_000)) > len(words.body)
    assert len(noise.body) < len(encode(noise, 4_096)) < len(noise.body) + 300


def test_a_changed_frame_is_never_an_answer() -> None:
    """Bits flipped, bytes replaced, cut off, or added: `ValueError`, each of 10,000 times."""
    luck = random.Random(11)
    frames = [encode(entry_of(1, luck.randbytes(40) * size, wall=5), 1_000) for size in (1, 5, 200)]
    for turn in range(10_000):
        frame = frames[turn % 3]
        spoilt = bytearray(frame)
        if turn % 4 == 0:
            spoilt[luck.randrange(len(spoilt))] ^= 1 << luck.randrange(8)
        elif turn % 4 == 1:
            for _ in range(luck.randrange(1, 9)):
                spoilt[luck.randrange(len(spoilt))] = luck.randrange(256)
        elif turn % 4 == 2:
            del spoilt[luck.randrange(len(spoilt)) :]
        else:
            spoilt += luck.randbytes(luck.randrange(1, 9))
        if bytes(spoilt) != frame:
            with pytest.raises(ValueError, match="a kept answer"):
                decode(bytes(spoilt))


@given(st.binary(max_size=200))
def test_noise_is_no_answer(noise: bytes) -> None:
    """Nor is it behind a head that fits."""
    for frame in (noise, b"TGA" + bytes([VERSION]) + noise):
        with pytest.raises(ValueError, match="a kept answer"):
            decode(frame)


@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_another_version_is_no_answer(version: int) -> None:
    """Though its checksum fits."""
    frame = bytearray(encode(entry_of(1, wall=0), 1_000))
    frame[3] = version
    with pytest.raises(ValueError, match="another version"):
        decode(bytes(frame))


def signed(size: int, deflated: int, payload: bytes) -> bytes:
    summed = struct.pack("<IB3x", size, deflated) + payload
    return struct.pack("<3sBI", b"TGA", VERSION, zlib.crc32(summed)) + summed


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (signed(100, 1, zlib.compress(bytes(1 << 20))), "not the size"),
        (signed(1 << 20, 1, zlib.compress(bytes(100))), "not the size"),
        (signed(100, 1, zlib.compress(bytes(100))[:-5]), "not the size"),
        (signed(100, 1, b"not deflated"), "cannot be inflated"),
        (signed(MOST + 1, 1, zlib.compress(b"x")), "larger than any"),
        (signed(3, 0, b"\x93\x01\x02"), "truncated|Expected"),
        (signed(1, 0, b"\x90"), "Expected"),
    ],
)
def test_what_is_well_formed_and_wrong_is_no_answer(frame: bytes, words: str) -> None:
    """A payload that would grow without end, is cut off, or is none of ours: nothing is inflated beyond its size."""
    with pytest.raises(ValueError, match=words):
        decode(frame)
