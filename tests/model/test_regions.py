"""What stands in the store of regions is read as it was written, whoever writes it next."""

import msgspec

from tidegate.model.regions import Counted, Entry, News, Parts


def test_records_are_read_as_they_were_written() -> None:
    """Arrays without names: short, and open at the end."""
    parts = Parts(7, 60_000_000, {"eu": Entry(600_000, 500_000, 3)})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(parts), type=Parts) == parts
    news = News(3, {"q": 500_000}, {"q": (7, 3)})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(news), type=News) == news


def test_what_a_later_version_adds_is_passed_over() -> None:
    """So that regions are upgraded one after the other."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([1, 2, "more"]), type=Counted) == Counted(1, 2)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([4]), type=News) == News(4)
