"""The limits in force, as workers tell them, go into the database; what is too old goes out of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select

from tidegate.control.board import WorkerView
from tidegate.control.trends import TrendKeeper, limits_in_force
from tidegate.model.belief import Belief
from tidegate.model.entitlements import LedgerSettings
from tidegate.observe.meters import LaneGauge
from tidegate.store.duties import Deposed
from tidegate.store.engine import open_engine, writing
from tidegate.store.lane_limits import LaneLimit, latest
from tidegate.store.lane_tables import LANE_LIMITS, LANE_MINUTES
from tidegate.store.upgrade import upgrade
from tidegate.store.utilisation import QuotaKey

LANE = QuotaKey("a", "s", "m/large")


def view(*gauges: LaneGauge) -> WorkerView:
    return WorkerView(0, 1, 1, gauges=list(gauges))


def gauge(tokens: Belief = Belief(), requests: Belief = Belief(), limit: int = -1) -> LaneGauge:  # noqa: B008 - frozen
    return LaneGauge("a/s/m/large", limit, limit, -1, -1, requests=requests, tokens=tokens)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine("", tmp_path)
    upgrade(made)
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("gauges", "limit"),
    [
        ([gauge()], LaneLimit()),
        ([gauge(limit=500)], LaneLimit(500)),
        ([gauge(Belief(limit=900, source="refusals"), limit=500)], LaneLimit(900, 0, "refusals")),
        ([gauge(requests=Belief(limit=7, source="configured"))], LaneLimit(0, 7, "configured")),
        ([gauge(Belief(limit=450)), gauge(Belief(limit=900))], LaneLimit(900)),
    ],
)
def test_a_limit_is_what_is_kept_to(gauges: list[LaneGauge], limit: LaneLimit) -> None:
    """Learnt or configured; of several workers the widest, since one that is alone keeps to its part."""
    assert limits_in_force([view(one) for one in gauges]) == {LANE: limit}


def test_limits_are_noted_when_they_change(engine: Engine) -> None:
    """Looked at every ten seconds, from when a worker has told any; a lane that is new is noted soon."""
    keeper = TrendKeeper()
    assert keeper.due(1_000.0)
    keeper.note(engine, [], 6_000, writing)
    assert keeper.due(1_000.5)
    keeper.note(engine, [view(gauge(limit=5))], 6_060, writing)
    assert not keeper.due(1_009.0)
    assert keeper.due(1_010.5)
    with writing(engine) as connection:
        assert latest(connection) == {LANE: LaneLimit(5)}
        assert connection.scalar(select(LANE_LIMITS.c.minute)) == 101
        connection.execute(delete(LANE_LIMITS))
    keeper.note(engine, [view(gauge(limit=5))], 6_120, writing)
    with engine.connect() as connection:
        assert latest(connection) == {}  # nobody was asked: nothing had changed
    keeper.note(engine, [view(gauge(limit=5))], 6_700, writing)
    with engine.connect() as connection:
        assert latest(connection) == {LANE: LaneLimit(5)}  # another node might have noted others meanwhile
    keeper.note(engine, [view(gauge(limit=6))], 6_780, writing)
    with engine.connect() as connection:
        assert latest(connection) == {LANE: LaneLimit(6)}


def test_who_has_lost_the_duty_notes_nothing(engine: Engine) -> None:
    """The one who has it does."""

    @contextmanager
    def deposed(_engine: Engine) -> Iterator[Connection]:
        raise Deposed("another leads")
        yield

    TrendKeeper().note(engine, [view(gauge(limit=5))], 6_060, deposed)
    with engine.connect() as connection:
        assert latest(connection) == {}


def test_what_is_too_old_goes(engine: Engine) -> None:
    """By the days of the settings."""
    wall = int(time.time())
    with writing(engine) as connection:
        for days in (1.9, 2.1):
            minute = int(wall - days * 86_400) // 60
            connection.execute(insert(LANE_MINUTES).values(minute=minute, **LANE._asdict()))
    assert TrendKeeper().tidy(engine, LedgerSettings(keep_minutes_days=2), wall, writing) == 1
