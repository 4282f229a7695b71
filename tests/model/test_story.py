"""A call's story as it is written down: small, and read by who knows less or more of it."""

import msgspec

from tests.journal.facts import record
from tidegate.model.facts import CallRecord, Try, tries_of
from tidegate.model.story import COOLING, MOST, PICKED, QUEUED, LaneSeen, Step

STEP = Step(QUEUED, 5, 1_000_000, "openai/main/a", "turn", (("pool", "main"), ("ahead", 3)))


def test_a_step_takes_some_dozens_of_bytes() -> None:
    """It is read as it was written; a whole story stays a small part of a journal's segment."""
    written = msgspec.msgpack.encode(STEP)
    assert msgspec.msgpack.decode(written, type=Step) == STEP
    assert len(written) < 64
    whole = msgspec.structs.replace(record(1), story=(STEP,) * MOST)
    assert len(msgspec.msgpack.encode(whole)) < 4_096


def test_the_lanes_of_a_choice_take_some_dozens_of_bytes_each() -> None:
    """They are read as they were written."""
    lane = LaneSeen("production", COOLING, 12_000_000, 12, 3_000, 41_000, 2_000_000, 0, 0, 17, 20)
    step = Step(PICKED, 5, 0, "openai/spare/a", "headroom", (("pool", "main/a"), ("lanes", 8)), (lane,) * 8)
    written = msgspec.msgpack.encode(step)
    assert msgspec.msgpack.decode(written, type=Step) == step
    assert len(written) < 64 + 8 * 48


def test_a_step_of_the_version_before_and_of_one_to_come_is_read() -> None:
    """What came to a step stands at its end; what is not known yet is passed over."""
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(STEP))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(fields[:6]), type=Step) == STEP
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([*fields, "more"]), type=Step) == STEP


def test_a_record_of_the_version_before_is_read() -> None:
    """What came to it stands at its end, and has a default: a journal outlives an upgrade."""
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(record(1)))
    names = [field.name for field in msgspec.structs.fields(CallRecord)]
    old = msgspec.msgpack.encode(fields[: names.index("story")])
    assert msgspec.msgpack.decode(old, type=CallRecord) == record(1)


def test_an_attempt_that_the_record_tells_has_its_key_and_its_first_byte() -> None:
    """Since it left, not since the call arrived."""
    waited = msgspec.structs.replace(record(1), account="0a1b2c3d", queued_us=400, first_byte_us=1_000)
    (one,) = tries_of(waited)
    assert isinstance(one, Try)
    assert (one.account, one.first_byte_us, one.headers) == ("0a1b2c3d", 600, ())
