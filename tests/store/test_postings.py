"""What calls have, gathered by the minute: each value once, in the order of the table's key."""

from msgspec.structs import replace

from tests.journal.facts import record
from tidegate.model.facts import CallRecord
from tidegate.model.story import MOVED, Step
from tidegate.store.postings import Postings, length
from tidegate.store.rows import names
from tidegate.units import MINUTE_US


def test_calls_that_are_alike_share_their_rows() -> None:
    """However many there are; another minute has rows of its own."""
    one = record(1)
    some = [replace(one, call_id=number, tag="a=b, c") for number in range(9)]
    later = replace(one, at_us=one.at_us + MINUTE_US)
    assert len(rows(*some)) == len(rows(some[0])) == 13
    assert len(rows(one, later)) == 2 * len(rows(one))
    assert rows(*some) == sorted(rows(*some))


def test_each_of_several_words_and_tags_is_found() -> None:
    """And of the longest times how long they are, in bits."""
    told = rows(
        replace(record(1), tag="a=b, c", duration_us=7, queued_us=-5, story=(Step(MOVED, 0, 0, "a/b", "rate"),))
    )
    assert [value for _, field, value, _ in told if field == "tag"] == ["a=b", "c"]
    assert [value for _, field, value, _ in told if field == "why"] == ["moved"]
    assert [value for _, field, value, _ in told if field in {"duration", "wait"}] == ["03"]
    assert [length(us) for us in (0, 1, 8_000_000)] == ["00", "01", "23"]


def rows(*of: CallRecord) -> list[tuple[object, ...]]:
    gathered = Postings()
    for one in of:
        gathered.called(one, names(one))
    return list(gathered.rows())
