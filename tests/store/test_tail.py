"""Calls as they end: every one once, from journals that are taken at their own pace."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tests.journal.facts import record
from tests.journal.hits import hit, said
from tests.store.test_write import known, put
from tidegate.store import tail
from tidegate.store.calls import CallsQuery
from tidegate.store.tail import Cursor, Mark, News

A, B = "a" * 32, "b" * 32
NOW = record(1).at_us
ALL = CallsQuery(NOW - 1_000_000, NOW, limit=100)


def ended(engine: Engine, identity: str, *calls: tuple[int, int], status: int = 200) -> None:
    """These calls (id, microseconds after `NOW`) were taken from this journal."""
    facts = [replace(record(number), at_us=NOW + at, status=status) for number, at in calls]
    put(engine, known(engine, identity), *facts)


def begun(engine: Engine, wanted: CallsQuery = ALL) -> News:
    with engine.connect() as connection:
        return tail.begin(connection, wanted)


def more(engine: Engine, news: News, wanted: CallsQuery = ALL) -> News:
    """Asked again, as a client does: with the text of the cursor."""
    with engine.connect() as connection:
        return tail.after(connection, tail.read(tail.written(news.cursor)), wanted)


def ids(news: News) -> list[int]:
    return [one["call_id"] for one in news.calls]


def test_every_call_once(engine: Engine) -> None:
    """Also of a journal that is behind, or was not there; the oldest first."""
    ended(engine, A, (1, 0), (2, 10))
    first = begun(engine)
    assert ids(first) == [1, 2]
    assert ids(more(engine, first)) == []
    ended(engine, A, (3, 20), (4, 30))
    ended(engine, B, (5, 25))
    second = more(engine, first)
    assert ids(second) == [3, 5, 4]
    ended(engine, B, (6, 26), (7, 25))  # two that ended in the same moment, one of which was seen
    third = more(engine, second)
    assert ids(third) == [7, 6]
    assert ids(more(engine, third)) == []


def kept(engine: Engine, identity: str, *hits: tuple[int, int]) -> None:
    """These (id, microseconds after `NOW`) were answered by the cache, and taken from this journal."""
    put(engine, known(engine, identity), said(*(hit(number, at_us=NOW + at) for number, at in hits)))


def test_what_the_cache_answered_is_told_though_it_is_written_later(engine: Engine) -> None:
    """Hits are gathered for a moment: one that ended before a call that was seen is news all the same, once."""
    ended(engine, A, (1, 0))
    kept(engine, A, (2, -5))
    first = begun(engine)
    assert ids(first) == [2, 1]
    ended(engine, A, (3, 30))
    second = more(engine, first)
    assert ids(second) == [3]
    kept(engine, A, (4, 10), (5, 31))
    kept(engine, B, (6, 20))
    third = more(engine, second)
    assert ids(third) == [4, 6, 5]
    assert ids(more(engine, third)) == []


def test_a_tail_of_hits_alone(engine: Engine) -> None:
    """Or of calls alone; the cursor moves over the others."""
    first = begun(engine)
    ended(engine, A, (1, 1))
    kept(engine, A, (2, 2))
    alone = [CallsQuery(NOW - 1_000_000, NOW, cache=word) for word in ("hit", "made")]
    assert [ids(more(engine, first, wanted)) for wanted in alone] == [[2], [1]]
    assert ids(more(engine, more(engine, first, alone[0]))) == []


def test_a_cursor_of_an_older_gate_goes_on(engine: Engine) -> None:
    """It says nothing of hits: they are news from where its calls ended."""
    ended(engine, A, (1, 5))
    kept(engine, A, (2, 3), (3, 7))
    number = known(engine, A).id
    with engine.connect() as connection:
        news = tail.after(connection, tail.read(f"{NOW}_{number}.1.{NOW + 5}.1"), ALL)
    assert ids(news) == [3]


def test_only_what_is_asked_for_is_shown_and_nothing_is_asked_for_twice(engine: Engine) -> None:
    """The cursor moves over what does not fit."""
    first = begun(engine)
    ended(engine, A, (1, 1))
    ended(engine, A, (2, 2), status=500)
    failed = replace_errors()
    second = more(engine, first, failed)
    assert ids(second) == [2]
    assert ids(more(engine, second, failed)) == []


def replace_errors() -> CallsQuery:
    return CallsQuery(NOW - 1_000_000, NOW, errors=True)


def test_who_cannot_keep_up_is_told(engine: Engine) -> None:
    """And is shown the newest."""
    first = begun(engine)
    ended(engine, A, *((number, number) for number in range(1, 9)))
    few = CallsQuery(NOW - 1_000_000, NOW, limit=3)
    news = more(engine, first, few)
    assert (ids(news), news.missed) == ([6, 7, 8], True)
    assert (ids(more(engine, news, few)), more(engine, news, few).missed) == ([], False)


def test_a_cursor_is_text_of_bounded_length() -> None:
    """Of so many journals that were taken from last, the others go on from its moment."""
    cursor = Cursor(7, {number: Mark(1, 1_000 + number, 2) for number in range(1_000)})
    again = tail.read(tail.written(cursor))
    assert (again.since_us, len(again.marks)) == (7, tail.MOST_JOURNALS)
    assert again.marks[999] == Mark(1, 1_999, 2)
    assert 999 - tail.MOST_JOURNALS not in again.marks


@pytest.mark.parametrize(
    "bad", ["", "x", "1_", "1_2", "1_1.2.3", "1_1.2.3.-4", "1_1.2.3.4.5", "1_1.2.3.4.5.6.7", "١", "1" * 30]
)
def test_what_is_no_cursor(bad: str) -> None:
    """Is refused, not guessed."""
    with pytest.raises(ValueError, match="cursor"):
        tail.read(bad)
