"""What calls add to the minutes and hours of their lanes, on either database."""

from msgspec.structs import replace
from sqlalchemy import Engine, Table, select

from tests.journal.facts import intent, record
from tidegate.journal.follow import Position
from tidegate.model.facts import CallRecord, Fact, Try
from tidegate.store.engine import writing
from tidegate.store.lane_sums import LaneSums
from tidegate.store.lane_tables import LANE_HOURS, LANE_MINUTES
from tidegate.store.sums import MOST_WORDS, OTHER, Words
from tidegate.store.write import Batch, journal, write
from tidegate.units import MINUTE_US

AT = 1_700_000_000_000_000 // (60 * MINUTE_US) * 60 * MINUTE_US  # a whole hour
LANE = ("openai", "main", "gpt-4o")


def call(number: int, at_us: int = AT + 1_000_000, **more: object) -> CallRecord:
    return replace(record(number), at_us=at_us, **more)


def tried(target: str, at_us: int, status: int, reason: str, charged: int = 0) -> Try:
    return Try(target, at_us, 1_000, status, reason, charged // 2, charged // 4, 0, 0, charged, False, 0)


def put(engine: Engine, identity: str, *facts: Fact) -> None:
    with writing(engine) as connection:
        at = journal(connection, identity, "main")
        write(connection, at, Batch(facts, Position(1, at.position.offset + 8)), Words())


def found(engine: Engine, table: Table = LANE_MINUTES) -> dict[tuple[int, ...], dict[str, int]]:
    """By the unit since AT and lane: the counts that are not 0."""
    unit = table.c[0]
    first = AT // MINUTE_US if table is LANE_MINUTES else AT // MINUTE_US // 60
    with engine.connect() as connection:
        return {
            (row[0] - first, *row[1:4]): dict(pair for pair in zip(LaneSums.NAMES, row[4:], strict=True) if pair[1])
            for row in connection.execute(select(table).order_by(unit))
        }


def test_an_attempt_counts_when_it_left_and_a_call_when_it_ended(engine: Engine) -> None:
    """A call that streamed over the turn of the hour is in two minutes, and in two hours."""
    put(
        engine, "a" * 32,
        intent(1, target="openai/main/gpt-4o", at_us=AT - 5_000_000, tokens=500),
        call(1, AT + 10_000_000, duration_us=18_000_000, queued_us=2_000_000, waited_us=1_000_000),
    )  # fmt: skip
    left = {"attempts": 1, "prompt_tokens": 60, "completion_tokens": 40, "charged_tokens": 100, "reserved_tokens": 500}
    ended = {"calls": 1, "queued_us": 2_000_000}
    assert found(engine) == {(-1, *LANE): left, (0, *LANE): ended}
    assert found(engine, LANE_HOURS) == {(-1, *LANE): left, (0, *LANE): ended}


def test_every_attempt_counts_where_it_went(engine: Engine) -> None:
    """The provider's 429s too, by status or by what the profile took them for; the call at its last attempt."""
    tries = (
        tried("openai/main/gpt-4o", AT, 429, "rate"),
        tried("openai/two/gpt-4o", AT + MINUTE_US, 503, "rate"),
        tried("spare/main/m/large", AT + 2 * MINUTE_US, 500, "transient", 40),
    )
    put(engine, "a" * 32, call(1, AT + 2 * MINUTE_US, target="", tries=tries, status=502, charged_tokens=40))
    assert found(engine) == {
        (0, *LANE): {"attempts": 1, "throttled": 1},
        (1, "openai", "two", "gpt-4o"): {"attempts": 1, "throttled": 1},
        (2, "spare", "main", "m/large"): {
            "calls": 1, "errors": 1, "attempts": 1, "prompt_tokens": 20, "completion_tokens": 10, "charged_tokens": 40,
        },
    }  # fmt: skip


def test_what_nobody_was_asked_stands_under_what_was_asked_for(engine: Engine) -> None:
    """Refused by the gate; a client that left while it waited was not."""
    put(
        engine, "a" * 32,
        call(1, target="", status=429, attempts=0, queued_us=-1),
        call(2, target="", status=499, attempts=0, queued_us=3),
    )  # fmt: skip
    assert found(engine) == {(0, "", "", "chat"): {"calls": 2, "errors": 2, "refused": 1, "queued_us": 3}}


def test_each_fact_counts_once_and_nodes_add_up(engine: Engine) -> None:
    """Two journals are summed; a call that stands there already is not counted again."""
    put(engine, "a" * 32, call(1))
    put(engine, "b" * 32, call(1))
    put(engine, "a" * 32, call(1), call(2))
    assert found(engine)[0, *LANE]["charged_tokens"] == 300
    assert found(engine, LANE_HOURS)[0, *LANE]["calls"] == 3


def test_models_of_clients_choosing_are_bounded() -> None:
    """So many in an hour for a scope; the rest is summed up."""
    sums = LaneSums(Words())
    for number in range(MOST_WORDS + 7):
        sums.called(call(number, target="", plan=f"m{number}", status=404))
    rows = sums.minutes()
    assert len(rows) == MOST_WORDS + 1
    assert [row[4] for row in rows if row[3] == OTHER] == [7]
    assert sums.hours()[0][0] == AT // MINUTE_US // 60
