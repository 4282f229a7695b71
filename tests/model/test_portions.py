"""What workers and the process that keeps a region's part say to each other is read as it was written."""

import msgspec

from tidegate.model.portions import FRAME, Dimension, Portion, Row, Spending


def test_records_are_read_as_they_were_written() -> None:
    """In frames with a length before them."""
    spending = Spending(1, [Row("q", "openai/main/m", 0, 7, 3, [Dimension(1, 2, 600, 60_000_000)])])
    payload = msgspec.msgpack.encode(spending)
    assert FRAME.unpack(FRAME.pack(len(payload))) == (len(payload),)
    assert msgspec.msgpack.decode(payload, type=Spending) == spending
    portion = Portion("q", 500_000, 50_000, 9, 7, 3)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([portion]), type=list[Portion]) == [portion]
