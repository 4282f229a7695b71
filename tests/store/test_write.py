"""Batches of facts in either database."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select

from tests.journal.facts import intent, record
from tidegate.journal.follow import Position
from tidegate.model.facts import BROKEN, LEFT, Fact, Try, tries_of
from tidegate.store import partitions
from tidegate.store.engine import is_sqlite, writing
from tidegate.store.rows import attempt_row
from tidegate.store.sums import Words
from tidegate.store.tables import ATTEMPTS, CALLS, HOURLY, TRIES
from tidegate.store.write import Batch, Journal, Moved, journal, write
from tidegate.units import DAY_US

A = "a" * 32
TRIES_OF_ONE = (
    Try("openai/main/gpt-4o", 1_000, 20, 200, "cut", 60, 10, 5, 2, 100, True, 7_000, reserved_tokens=130),
    Try("spare/main/gpt/4o", 2_000, 30, 200, "", 60, 40, 0, 0, 120, False, 9_000),
)


def known(engine: Engine, identity: str = A) -> Journal:
    with writing(engine) as connection:
        return journal(connection, identity, "main")


def put(engine: Engine, at: Journal, *facts: Fact, to: Position | None = None) -> Journal:
    batch = Batch(facts, to or Position(at.position.segment, at.position.offset + 100))
    with writing(engine) as connection:
        return write(connection, at, batch, Words())


def rows(engine: Engine, table: Any, *columns: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns)))]


def total(engine: Engine, column: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.sum(HOURLY.c[column]))) or 0)


def test_a_call_its_tries_and_its_sums(engine: Engine) -> None:
    """Each attempt is a row of its own; the sums hold calls where they were answered and tokens where they went."""
    call = replace(
        record(7), tenant="team", user="ann", tag="nightly", tries=TRIES_OF_ONE, target="spare/main/gpt/4o",
        prompt_tokens=120, completion_tokens=50, cost_nano=16_000, reserved_tokens=130,
    )  # fmt: skip
    after = put(engine, known(engine), intent(7, tokens=130, target="openai/main/gpt-4o"), call)
    assert after == known(engine)
    assert after.taken_calls == 1
    columns = ("namespace", "user", "key", "provider", "scope", "served", "tag", "prompt_tokens", "cost_nano")
    assert rows(engine, CALLS, *columns) == [("team", "ann", "app", "spare", "main", "gpt/4o", "nightly", 120, 16_000)]
    assert sorted(rows(engine, TRIES, "number", "provider", "model", "reason", "estimated", "written_tokens")) == [
        (1, "openai", "gpt-4o", "cut", True, 2),
        (2, "spare", "gpt/4o", "", False, 0),
    ]
    assert rows(engine, CALLS, "reserved_tokens") == [(130,)]
    assert sorted(rows(engine, TRIES, "number", "reserved_tokens")) == [(1, 130), (2, 0)]
    columns = ("provider", "tag", "calls", "attempts", "estimated_attempts", "completion_tokens", "reserved_tokens",
               "cost_nano")  # fmt: skip
    assert sorted(rows(engine, HOURLY, *columns)) == [
        ("openai", "", 0, 0, 0, 0, 130, 0),
        ("openai", "nightly", 0, 1, 1, 10, 0, 7_000),
        ("spare", "nightly", 1, 1, 0, 40, 0, 9_000),
    ]


def test_every_attempt_of_every_call_is_a_row_of_tries(engine: Engine) -> None:
    """Whether it was written down or is read from its call's row; the sums have the same."""
    ended = [
        (200, "a/b/c/d"),
        (200, "a/b/c"),
        (404, "a/b/c"),
        (0, "a/b/c"),
        (LEFT, "a/b/c"),
        (BROKEN, "a/b/c"),
        (429, ""),
    ]
    alone = [
        replace(record(number), status=status, target=target, queued_us=300, waited_us=100, estimated=not status,
                cached_tokens=4, written_tokens=2, cost_nano=number, reserved_tokens=100 + number)
        for number, (status, target) in enumerate(ended)
    ]  # fmt: skip
    listed = [
        replace(record(20), tries=TRIES_OF_ONE, target="spare/main/gpt/4o", attempts=2),
        replace(record(21), tries=TRIES_OF_ONE[:1], target="", status=502),
    ]
    at = known(engine)
    put(engine, at, *alone, *listed)
    wanted = [
        attempt_row(at.id, call, number, one)
        for call in (*alone, *listed)
        for number, one in enumerate(tries_of(call), 1)
    ]
    found = rows(engine, TRIES, *(column.name for column in ATTEMPTS.columns))
    assert sorted(found) == sorted(wanted)
    assert len(rows(engine, ATTEMPTS, "number")) == 3
    for what in (
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "written_tokens",
        "charged_tokens",
        "cost_nano",
    ):
        assert total(engine, what) == sum(amount for (amount,) in rows(engine, TRIES, what))
    assert (total(engine, "attempts"), total(engine, "estimated_attempts")) == (len(found), 3)


def test_what_was_taken_is_not_counted_again(engine: Engine) -> None:
    """Neither a batch that comes twice nor a call that stands twice in one."""
    at = known(engine)
    put(engine, at, record(1), record(1), record(2))
    with pytest.raises(Moved):
        put(engine, at, record(1))
    put(engine, known(engine), record(2), record(3))
    assert sorted(rows(engine, CALLS, "call_id")) == [(1,), (2,), (3,)]
    assert (total(engine, "calls"), known(engine).taken_calls) == (3, 3)


def test_journals_are_apart(engine: Engine) -> None:
    """The same id in two journals is two calls."""
    put(engine, known(engine), record(1))
    put(engine, known(engine, "b" * 32), record(1))
    assert total(engine, "calls") == 2


def test_a_failure_leaves_nothing_of_its_batch(engine: Engine) -> None:
    """Rows, sums and position are one transaction."""
    at = known(engine)
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        write(connection, at, Batch([record(1)], Position(1, 100)), Words())
        raise ZeroDivisionError
    assert rows(engine, CALLS, "call_id") == []
    assert known(engine) == at


def test_names_that_no_column_holds_are_made_to_fit(engine: Engine) -> None:
    """NUL bytes and any length, as clients may send them."""
    put(engine, known(engine), replace(record(1), model="a\0b", tag="t" * 5_000, plan="p" * 5_000))
    assert rows(engine, CALLS, "model", "tag") == [("a�b", "t" * 128)]


def test_names_that_are_cut_alike_add_up(engine: Engine) -> None:
    """In one row, also where they come in one batch."""
    calls = [replace(record(number), tag="x" * 128 + end) for number, end in enumerate(("", "a", "b"), 1)]
    put(engine, known(engine), *calls)
    assert rows(engine, HOURLY, "tag", "calls") == [("x" * 128, 3)]


def test_what_is_not_200_is_an_error(engine: Engine) -> None:
    """Also a call whose end nobody saw; a refused one has no attempt."""
    facts = [replace(record(number), status=status, target="") for number, status in enumerate((200, 0, 429, 499, 503))]
    put(engine, known(engine), *facts)
    assert (total(engine, "calls"), total(engine, "errors"), total(engine, "attempts")) == (5, 4, 0)


def test_old_days_go_and_sums_stay(engine: Engine) -> None:
    """Calls and attempts of days before the one named, by partition or row; new days need no preparation."""
    first = record(1).at_us
    listed = TRIES_OF_ONE[:1]
    put(engine, known(engine), *(replace(record(day), at_us=first + day * DAY_US, tries=listed) for day in range(5)))
    today = (first + 4 * DAY_US) // DAY_US
    assert partitions.drop_before(engine, today - 1) == (6 + 3 * 13 if is_sqlite(engine) else 12)  # and postings
    assert len(rows(engine, CALLS, "call_id")) == len(rows(engine, ATTEMPTS, "call_id")) == 2
    assert total(engine, "calls") == 5
    assert partitions.drop_before(engine, today - 1) == 0
    partitions.ahead(engine, today)


def test_a_day_is_a_partition(postgresql: Engine) -> None:
    """On PostgreSQL; made ahead by a few days."""
    partitions.ahead(postgresql, 20_000)
    with postgresql.connect() as connection:
        assert sorted(partitions.known(connection, "calls").values()) == [20_000, 20_001, 20_002]
