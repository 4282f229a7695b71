"""Records in a file that is appended to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.frames import HEADER, Corrupt, frame, unframe

MOST = 1 << 16


def all_of(data: bytes) -> list[bytes]:
    at, found = 0, []
    while (payload := unframe(data, at, MOST)) is not None:
        found.append(payload)
        at += HEADER.size + len(payload)
    return found


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_what_was_framed_is_read(payloads: list[bytes]) -> None:
    """One behind the other, to the end; and of every beginning of the file what is whole of it."""
    data = b"".join(frame(payload) for payload in payloads)
    assert all_of(data) == payloads
    for size in range(len(data)):
        found = all_of(data[:size])
        assert found == payloads[: len(found)]
        assert len(b"".join(frame(payload) for payload in payloads[: len(found) + 1])) > size


def test_nothing_written_yet_is_the_end() -> None:
    """As a preallocated file, or one that a dying kernel left, goes on behind its last record."""
    assert all_of(frame(b"one") + bytes(100)) == [b"one"]


@pytest.mark.parametrize("at", range(8, 11))
def test_a_damaged_record_is_told(at: int) -> None:
    """With where it lies, so that a reader may know whether anything follows it."""
    data = bytearray(frame(b"one") + frame(b"two"))
    data[at] ^= 1
    with pytest.raises(Corrupt, match="record at byte 0 is damaged") as caught:
        unframe(bytes(data), 0, MOST)
    assert (caught.value.at, caught.value.end) == (0, 11)


def test_a_length_that_cannot_be_is_damage() -> None:
    """It would be waited for for ever."""
    with pytest.raises(Corrupt):
        unframe(HEADER.pack(MOST + 1, 0), 0, MOST)
