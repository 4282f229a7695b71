"""What the cache did, in either database."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine, Table, select

from tests.journal.facts import record
from tests.journal.hits import AT_US, hit, said
from tidegate.journal.follow import Position
from tidegate.model.facts import Fact, Note
from tidegate.store import partitions
from tidegate.store.engine import is_sqlite, writing
from tidegate.store.hit_tables import HITS, HOURLY_HITS, NOTES
from tidegate.store.sums import MOST_WORDS, OTHER, Words
from tidegate.store.tables import CALLS
from tidegate.store.write import Batch, Journal, journal, write
from tidegate.units import DAY_US


def put(engine: Engine, *facts: Fact, identity: str = "a" * 32) -> Journal:
    """A batch of its own."""
    with writing(engine) as connection:
        at = journal(connection, identity, "main")
        return write(connection, at, Batch(facts, Position(at.position.segment, at.position.offset + 100)), Words())


def rows(engine: Engine, table: Table, *columns: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns))))


def test_a_hit_is_a_row_and_a_sum(engine: Engine) -> None:
    """By layer, with what it saved; what its tenant was charged all the same stands apart."""
    put(engine, said(hit(7), hit(8, layer="semantic", charged=True), hit(9)))
    columns = ("call_id", "namespace", "user", "key", "tag", "plan", "provider", "model", "source", "charged", "age_us")
    found = rows(engine, HITS, *columns)
    assert found[1] == (8, "team", "ann", "app", "nightly", "chat", "openai", "gpt/4o", 1, True, 9_000_000)
    assert [row[0] for row in found] == [7, 8, 9]
    sums = rows(engine, HOURLY_HITS, "layer", "model", "calls", "prompt_tokens", "completion_tokens", "cost_nano",
                "charged_calls", "charged_tokens", "charged_nano")  # fmt: skip
    assert sums == [
        ("exact", "gpt/4o", 2, 120, 80, 14_000, 0, 0, 0),
        ("semantic", "gpt/4o", 1, 60, 40, 7_000, 1, 100, 7_000),
    ]


def test_what_was_taken_is_not_counted_again(engine: Engine) -> None:
    """A hit that stands twice, in one batch or two, is one; in another journal it is another's. Sums grow."""
    put(engine, said(hit(7), hit(7)), said(hit(8)))
    put(engine, said(hit(8), hit(9)))
    put(engine, said(hit(8)), identity="b" * 32)
    assert [row[0] for row in rows(engine, HITS, "call_id")] == [7, 8, 8, 9]
    assert sum(row[0] for row in rows(engine, HOURLY_HITS, "calls")) == 4


def test_calls_that_asked_in_vain_are_counted_beside_the_hits(engine: Engine) -> None:
    """Once each, where they were answered; a stale answer is a hit, and who was not asked is neither."""
    words = ("miss", "miss; semantic: below 0.912 req_1", "bypass: store", "stale", "")
    calls = [replace(record(number), tenant="team", cache=word) for number, word in enumerate(words)]
    put(engine, *calls, said(hit(3, layer="stale")))
    put(engine, calls[0])
    assert rows(engine, HOURLY_HITS, "layer", "provider", "model", "calls") == [
        ("bypass", "openai", "gpt-4o", 1), ("miss", "openai", "gpt-4o", 2), ("stale", "openai", "gpt/4o", 1),
    ]  # fmt: skip
    assert rows(engine, CALLS, "call_id", "cache") == list(enumerate(words))


def test_what_became_of_an_answer_is_noted(engine: Engine) -> None:
    """With the name under which it is kept; twice is once."""
    notes = (Note(1, AT_US, "stored", b"\xab" * 32), Note(2, AT_US, "unstored: length"))
    put(engine, said(notes=notes))
    put(engine, said(notes=notes))
    assert rows(engine, NOTES, "call_id", "word", "answer") == [(1, "stored", "ab" * 32), (2, "unstored: length", "")]


def test_names_that_no_column_holds_are_made_to_fit(engine: Engine) -> None:
    """As of calls; and an hour's words are bounded."""
    many = [replace(hit(number), plan=f"plan-{number}") for number in range(MOST_WORDS + 2)]
    put(engine, said(*many, replace(hit(5_000), tag="t\0" * 500, plan="plan-0", age_us=-5)))
    assert max(rows(engine, HITS, "call_id", "age_us", "tag")) == (5_000, 0, "t�" * 64)
    plans = {row[0] for row in rows(engine, HOURLY_HITS, "plan")}
    assert len(plans) == MOST_WORDS + 1
    assert OTHER in plans


def test_old_days_go_and_sums_stay(engine: Engine) -> None:
    """Hits and notes are kept as long as calls are."""
    for day in range(4):
        at_us = AT_US + day * DAY_US
        put(engine, said(hit(day, at_us=at_us), notes=(Note(day, at_us, "stored", b"k" * 32),)))
    before = (AT_US + 3 * DAY_US) // DAY_US
    assert partitions.drop_before(engine, before) == 6
    assert rows(engine, HITS, "call_id") == rows(engine, NOTES, "call_id") == [(3,)]
    assert sum(row[0] for row in rows(engine, HOURLY_HITS, "calls")) == 4
    if not is_sqlite(engine):
        partitions.ahead(engine, 20_000)
        with engine.connect() as connection:
            assert 20_001 in partitions.known(connection, "hits").values()
