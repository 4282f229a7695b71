"""What candidates answered, summed by day, in either database."""

from msgspec.structs import replace
from sqlalchemy import Engine

from tests.store.test_hits import put
from tidegate.model.shadow import FAILED, UNASKED, Compared
from tidegate.store import shadows
from tidegate.store.engine import writing
from tidegate.store.shadows import KEEP_DAYS, ShadowDay
from tidegate.units import DAY_US

ONE = Compared(1, 2, DAY_US * 9 + 5, "chat", "new", "answered", 900, True, 10, 20, 30, 40, 50, 60)


def found(engine: Engine, since: int = 0) -> list[ShadowDay]:
    with engine.connect() as connection:
        return shadows.days(connection, since)


def test_they_are_summed_by_day_strategy_and_candidate(engine: Engine) -> None:
    """Within a batch and over batches; figures are those of pairs that were answered, the cost is of all."""
    failed = replace(ONE, state=FAILED, permille=0, agreed=False, candidate_nano=7)
    put(engine, ONE, replace(ONE, permille=100, agreed=False), failed)
    put(engine, ONE, replace(failed, state=UNASKED, candidate_nano=0), replace(ONE, at_us=DAY_US * 10))
    assert found(engine) == [
        ShadowDay(10, "chat", "new", 1, 1, 0, 0, 1, 900, 10, 20, 30, 40, 50, 60),
        ShadowDay(9, "chat", "new", 5, 3, 1, 1, 2, 1_900, 30, 60, 90, 127, 150, 180),
    ]
    assert [one.day for one in found(engine, 10)] == [10]


def test_names_fit_and_what_is_old_goes(engine: Engine) -> None:
    """Names are cut as calls' are; days beyond the time they are kept are forgotten."""
    put(engine, ONE, replace(ONE, candidate="m\0" * 500, strategy="s" * 500))
    assert max(len(one.candidate) for one in found(engine)) == 256
    assert max(len(one.strategy) for one in found(engine)) == 128
    with writing(engine) as connection:
        assert shadows.forget(connection, 9 + KEEP_DAYS) == 0
        assert shadows.forget(connection, 10 + KEEP_DAYS) == 2
