"""A segment's bytes, whole and damaged."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.journal.facts import intent, record
from tidegate.journal.scan import Damage, records, scan
from tidegate.journal.segment import MAGIC, Checkpoint, frame
from tidegate.model.facts import CallRecord, Hit, Hits, Try

FACTS = [
    Checkpoint((intent(9),), (intent(9),)),
    *(intent(1), record(1), intent(2), record(2, client="x" * 300), record(3)),
    Hits((Hit(4, 5, "app", "", "", "", "chat", "openai/gpt-4o", "exact", 3, 1_000, 60, 40, 7, 9),)),
]
FRAMES = [frame(msgspec.msgpack.encode(fact)) for fact in FACTS]
WHOLE = MAGIC + b"".join(FRAMES)
STARTS = [len(MAGIC) + sum(map(len, FRAMES[:number])) for number in range(len(FRAMES))]


def test_all_records_and_the_end_of_each() -> None:
    """In order; unused space behind them is no damage."""
    found = list(records(WHOLE + bytes(500)))
    assert [fact for fact, _ in found] == FACTS
    assert [end for _, end in found] == [*STARTS[1:], len(WHOLE)]


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_costs_one_record(at: int, bits: int) -> None:
    """Wherever it is: all other records are read, and the damage is told with its place."""
    data = bytearray(WHOLE)
    data[at] ^= bits
    found = [scanned.found for scanned in scan(bytes(data))]
    told = [one for one in found if isinstance(one, Damage)]
    kept = [one for one in found if not isinstance(one, Damage)]
    if at < len(MAGIC):
        assert kept == FACTS
    else:
        hit = max(number for number, start in enumerate(STARTS) if start <= at)
        assert kept == FACTS[:hit] + FACTS[hit + 1 :]
        assert [damage.offset for damage in told] == [STARTS[hit]]
        assert told[0].size == len(FRAMES[hit])


@pytest.mark.parametrize("size", [1, 100, len(WHOLE) - STARTS[2]])
def test_a_lost_page_is_stepped_over(size: int) -> None:
    """What a dying kernel did not write reads as zeros; records behind it count."""
    data = WHOLE[: STARTS[2]] + bytes(size) + WHOLE[STARTS[2] + size :]
    kept = [scanned.found for scanned in scan(data) if isinstance(scanned.found, CallRecord)]
    assert all(one in FACTS for one in kept)
    assert len(kept) >= (2 if size <= 100 else 0)


def test_what_an_older_worker_wrote_is_read() -> None:
    """Its records are shorter: what was appended since has its default."""
    one = Try("openai/main/a", 1, 2, 429, "rate", 0, 0, 0, 0, 9, False, 0, reserved_tokens=9)
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(replace(record(1), tries=(one,), reserved_tokens=9)))
    tries = CallRecord.__struct_fields__.index("tries") + 1  # its tag is before it
    fields[tries][0] = fields[tries][0][:-1]
    ((found, _),) = records(MAGIC + frame(msgspec.msgpack.encode(fields[:-1])))
    assert found == replace(record(1), tries=(replace(one, reserved_tokens=0),))


def test_a_record_of_another_version_is_damage() -> None:
    """A whole frame that does not decode stops nobody."""
    odd = frame(msgspec.msgpack.encode(["z", 1, 2]))
    found = [scanned.found for scanned in scan(MAGIC + FRAMES[1] + odd + FRAMES[2])]
    assert found == [FACTS[1], Damage(len(MAGIC) + len(FRAMES[1]), len(odd)), FACTS[2]]
