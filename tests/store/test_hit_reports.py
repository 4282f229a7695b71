"""What the cache answered and saved, in either database."""

from msgspec.structs import replace
from sqlalchemy import Engine

from tests.journal.facts import record
from tests.journal.hits import AT_US, hit, said
from tests.store.test_hits import put
from tidegate.model.facts import Note
from tidegate.store.hit_reports import Saved, Wanted, asked, report, served, total
from tidegate.store.hit_reports import hit as hit_of
from tidegate.units import HOUR_US

FROM, TO = AT_US - 48 * HOUR_US, AT_US + HOUR_US


def test_hits_and_misses_add_up_by_any_grouping(engine: Engine) -> None:
    """By layer a rate is of all that was asked for; by time in its order; else what saved most first."""
    miss = replace(record(1), tenant="team", user="ann", cache="miss")
    put(
        engine, miss, replace(record(2), tenant="other", cache="bypass: tools"),
        said(hit(3), hit(4), hit(5, layer="semantic", charged=True), hit(6, at_us=AT_US - 24 * HOUR_US)),
    )  # fmt: skip
    with engine.connect() as connection:
        by_layer = report(connection, Wanted(FROM, TO, ("namespace", "layer")))
        assert [(line.group, line.saved.hits, line.saved.misses, line.saved.rate) for line in by_layer] == [
            (("team", "exact"), 3, 2, 0.6), (("team", "semantic"), 1, 4, 0.2),
        ]  # fmt: skip
        by_day = report(connection, Wanted(FROM, TO, ("day",)))
        assert [(line.saved.hits, line.saved.misses, line.saved.bypassed) for line in by_day] == [(1, 0, 0), (3, 1, 1)]
        by_namespace = report(connection, Wanted(FROM, TO, ("namespace",)))
        assert [(line.group, line.saved.hits, line.saved.rate) for line in by_namespace] == [
            (("team",), 4, 0.8), (("other",), 0, None),
        ]  # fmt: skip
        assert total(connection, Wanted(FROM, TO)) == Saved(4, 1, 1, 240, 160, 28_000, 1, 100, 7_000)
        assert total(connection, Wanted(FROM, TO, filters={"layer": "semantic"})).hits == 1
        assert total(connection, Wanted(TO, TO + HOUR_US)) == Saved()


def test_a_call_and_whom_its_answer_served(engine: Engine) -> None:
    """Within a namespace, if one is asked for; with what became of its answer, where that is known."""
    made = replace(record(1), tenant="team", cache="miss")
    other = replace(hit(4), tenant="other")
    put(
        engine, made, replace(record(2), tenant="team"), said(hit(3), other, notes=(Note(1, AT_US, "stored", b"\x01"),))
    )
    with engine.connect() as connection:
        found = asked(connection, 1)
        assert found is not None
        assert (found["word"], found["answer"], found["cache"]) == ("stored", "01", "miss")
        plain = asked(connection, 2, "team")
        assert plain is not None
        assert (plain["word"], plain["cache"]) == ("", "")
        assert asked(connection, 1, "other") is None
        assert asked(connection, 3) is None
        known = hit_of(connection, 3, "team")
        assert known is not None
        assert (known["source"], known["layer"]) == (1, "exact")
        assert hit_of(connection, 4, "team") is None
        count, calls = served(connection, 1)
        assert (count, [one["call_id"] for one in calls]) == (2, [4, 3])
        assert served(connection, 1, "team")[0] == 1
        assert served(connection, 9) == (0, [])
