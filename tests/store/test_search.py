"""Calls and hits together, in either database."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tests.journal.facts import record
from tests.journal.hits import AT_US, hit, said
from tests.store.test_hits import put
from tidegate.model.facts import Hit
from tidegate.store import search
from tidegate.store.calls import CallsQuery, Whole

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def answered(number: int, **more: Any) -> Hit:
    return replace(hit(number, at_us=AT_US + number), asked="smart", **more)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Calls 1, 3 and 6, to the last of which a stale answer was given; hits 2, 4 and 5."""
    calls = [replace(record(number), at_us=AT_US + number, tenant="team", trace=PARENT) for number in (1, 3)]
    stale = replace(record(6), at_us=AT_US + 6, tenant="team", cache="stale")
    hits = (
        answered(2, trace=PARENT, request="r-2"),
        answered(4, layer="semantic", duration_us=3_000_000, tenant="other", tag="price, night"),
        answered(5),
        answered(6, layer="stale"),
    )
    put(engine, *calls, stale, said(*hits))
    return engine


def found(engine: Engine, **more: Any) -> list[int]:
    with engine.connect() as connection:
        return [one["call_id"] for one in search.search(connection, CallsQuery(0, 1 << 62, **more))]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"limit": 3}, [6, 5, 4]),
        ({"limit": 2, "before": (AT_US + 4, 4)}, [3, 2]),
        ({"cache": "hit"}, [6, 5, 4, 2]),
        ({"cache": "made"}, [6, 3, 1]),
        ({"cache": "semantic"}, [4]),
        ({"cache": "stale"}, [6]),
        ({"filters": {"trace_id": TRACE}}, [3, 2, 1]),
        ({"filters": {"request_id": "r-2"}}, [2]),
        ({"filters": {"namespace": "other"}}, [4]),
        ({"filters": {"model": "smart"}}, [5, 4, 2]),
        ({"filters": {"served": "gpt/4o"}}, [5, 4, 2]),
        ({"filters": {"tag": "night"}}, [4]),
        ({"slower_us": 3_000_000}, [4]),
        ({"status": (200, 299), "cache": "exact"}, [5, 2]),
        ({"errors": True}, []),
    ],
)
def test_hits_are_found_beside_calls(filled: Engine, asked: dict[str, Any], ids: list[int]) -> None:
    """By the same filters, each once, the newest first, page by page."""
    assert found(filled, **asked) == ids


def one(engine: Engine, number: int, namespace: str | None = None) -> Whole | None:
    with engine.connect() as connection:
        return search.call(connection, number, namespace)


def test_one_call_whoever_answered_it(filled: Engine) -> None:
    """Of a namespace, if one is asked for; who was given a stale answer has both, the call and what it was given."""
    made, kept, both = one(filled, 1), one(filled, 2), one(filled, 6)
    assert made is not None
    assert kept is not None
    assert both is not None
    assert ("hit" in made.row, len(made.tries)) == (False, 1)
    assert (kept.row["hit"]["source"], kept.tries, kept.story) == (1, [], ())
    assert (both.row["hit"]["layer"], both.row["status"], len(both.tries)) == ("stale", 200, 1)
    assert one(filled, 4, "team") is None
    assert one(filled, 4, "other") is not None
    assert one(filled, 99) is None
