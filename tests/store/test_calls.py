"""A call found again: by its trace, its request, its time, and by what befell it; with its attempts and its story."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from tests.journal.facts import record
from tests.store.test_write import known, put
from tidegate.model.facts import CallRecord, Try
from tidegate.model.story import (
    ASKED,
    BROKE,
    CHOSEN,
    COOLING,
    LIMITED,
    MOVED,
    OPEN,
    PICKED,
    QUEUED,
    REFUSED,
    LaneSeen,
    Step,
)
from tidegate.store import calls, stories
from tidegate.store.engine import is_sqlite
from tidegate.store.rows import why

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECOND = 1_000_000
REFUSAL = Try("openai/main/gpt-4o", 1, 2, 429, "rate", 0, 0, 0, 0, 9, False, 0, "0a1b2c3d", 7, (("retry-after", "2"),))
ANSWER = Try("spare/main/gpt-4o", 2, 3, 200, "", 60, 40, 0, 0, 9, False, 0, "99999999", 8)
QUEUE = Step(QUEUED, 0, 1_500_000, "openai/main/gpt-4o", "turn", (("ahead", 3), ("pool", "main")))
PICK = Step(PICKED, 1_500_000, 0, "openai/main/gpt-4o", "headroom", (("pool", "main"), ("lanes", 2)), (
    LaneSeen("main", OPEN, 0, 7, 60, 41_000, 60_000, 0, 0, 2, 683), LaneSeen("spare", COOLING, 12 * SECOND),
))  # fmt: skip
STORY = (
    QUEUE,
    PICK,
    Step(ASKED, 5, 2, "openai/main/gpt-4o", "rate", (("try", 1),)),
    Step(MOVED, 7, 0, "spare/gpt-4o", "rate"),
)
FACTS = (
    replace(record(1), at_us=record(1).at_us + 1, trace=TRACE, request="abc-1", account="0a1b2c3d", read_us=11,
            request_bytes=12, answer_bytes=13),
    replace(record(2), at_us=record(1).at_us + 2, tries=(REFUSAL, ANSWER), story=STORY, queued_us=1_500_000),
    replace(record(3), at_us=record(1).at_us + 3, status=429, target="",
            story=(Step(REFUSED, 1, 0, "", "over_quota", (("told_us", 5),)),)),
    replace(record(4), at_us=record(1).at_us + 4, duration_us=30 * SECOND),
)  # fmt: skip


@pytest.fixture
def filled(engine: Engine) -> Engine:
    put(engine, known(engine), *FACTS)
    return engine


def found(engine: Engine, **more: Any) -> list[int]:
    with engine.connect() as connection:
        return [one["call_id"] for one in calls.calls(connection, calls.CallsQuery(0, 1 << 62, **more))]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"filters": {"trace_id": TRACE[3:35]}}, [1]),
        ({"filters": {"request_id": "abc-1"}}, [1]),
        ({"filters": {"trace_id": ""}}, []),  # nobody is found by having none
        ({"slower_us": 30 * SECOND}, [4]),
        ({"slower_us": 31 * SECOND}, []),
        ({"slower_us": 1_000}, [4, 3, 2, 1]),
        ({"waited_us": SECOND}, [2]),
        ({"waited_us": 1}, [2]),
        ({"words": (" moved ",)}, [2]),
        ({"words": (" refused ",)}, [3]),
        ({"words": ("quota",)}, [3]),
        ({"words": (" quota ",)}, []),
        ({"words": ("rate", " moved ")}, [2]),
        ({"words": ("%",)}, []),
        ({"status": (400, 499)}, [3]),
        ({"status": (200, 299), "filters": {"account": "0a1b2c3d"}}, [1]),
        ({"errors": True, "filters": {"namespace": ""}}, [3]),
    ],
)
def test_what_is_looked_for_is_found(filled: Engine, asked: dict[str, Any], ids: list[int]) -> None:
    """And nothing else."""
    assert found(filled, **asked) == ids


def test_one_call_with_everything(filled: Engine) -> None:
    """Account, times and sizes; each attempt's key and the headers of its refusal; the story as it was told."""
    with filled.connect() as connection:
        row, tries, story = calls.call(connection, 2) or pytest.fail("it is there")
        one, its, none = calls.call(connection, 1) or pytest.fail("it is there")
    assert (row["why"], story) == ("rate moved", STORY)
    assert [(each["account"], each["first_byte_us"], each["headers"]) for each in tries] == [
        ("0a1b2c3d", 7, "retry-after: 2"), ("99999999", 8, ""),
    ]  # fmt: skip
    assert (one["account"], one["read_us"], one["request_bytes"], one["answer_bytes"], none) == (
        "0a1b2c3d", 11, 12, 13, (),
    )  # fmt: skip
    assert [(each["account"], each["first_byte_us"]) for each in its] == [("0a1b2c3d", 1_000)]


def test_what_befell_a_call_in_words() -> None:
    """Each once; who only waited, or was served by the first choice, has none."""
    told = replace(record(1), story=(
        QUEUE, Step(CHOSEN, 0, 0, "a/b", "first"), Step(CHOSEN, 0, 0, "a/c", "soonest"),
        Step(MOVED, 0, 0, "a/d", "has no tools"),
        Step(LIMITED, 0, 0, "", "tokens"), Step(BROKE, 0, 0, "", "transient"), Step(ASKED, 0, 0, "", "transient"),
    ))  # fmt: skip
    assert why(told) == "moved limited tokens broke transient"
    assert why(replace(record(1), story=(QUEUE,))) == ""
    assert why(replace(record(1), story=(Step(CHOSEN, 0, 0, "a/c", "soonest"),))) == "moved"


def test_a_story_is_small_and_read_again() -> None:
    """Compressed where it is long; what cannot be read is no story, and no error."""
    assert stories.unpack(stories.pack(STORY)) == STORY
    long = STORY * 8
    assert stories.unpack(stories.pack(long)) == long
    assert len(stories.pack(long)) < 350
    assert [stories.unpack(bad) for bad in (b"", b"\0", b"\1", b"\1x", b"\0\xc1", b"\2")] == [()] * 6


def plan_of(engine: Engine, **more: Any) -> str:
    """How the database looks for them."""
    query = calls.looking(calls.CallsQuery(0, 1 << 62, **more))
    told = query.order_by(calls.CALLS.c.at_us.desc()).limit(50).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        return str(connection.execute(text(f"EXPLAIN QUERY PLAN {told}")).all())


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"filters": {"trace_id": "a"}}, "trace_id"),
        ({"filters": {"request_id": "a"}}, "request_id"),
        ({"errors": True}, "failed"),
        ({"slower_us": 20 * SECOND}, "slow"),
        ({"waited_us": 2 * SECOND}, "waited"),
        ({"words": ("rate",)}, "why"),
        ({}, "at_us"),
    ],
)
def test_an_index_is_used(sqlite: Engine, asked: dict[str, Any], index: str) -> None:
    """Its condition is repeated as it stands there."""
    assert is_sqlite(sqlite)
    assert f"ix_calls_{index}" in plan_of(sqlite, **asked)


def test_a_record_of_an_older_worker_has_no_story() -> None:
    """What was appended to the record has defaults: a journal of the version before is read."""
    assert isinstance(record(1), CallRecord)
    assert (record(1).story, record(1).trace, record(1).request) == ((), "", "")
