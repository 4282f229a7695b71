"""When a quota will be exhausted, by what stands in the database."""

from math import asin, pi, sin

import pytest
from sqlalchemy import Engine, delete, insert

from tidegate.model.measures import METRICS
from tidegate.store.engine import writing
from tidegate.store.lane_limits import LaneLimit
from tidegate.store.lane_tables import LANE_HOURS, LANE_MINUTES
from tidegate.store.outlook import HORIZON_S, METRIC, LaneHistory, Outlook, OutlookKeeper, outlook
from tidegate.store.utilisation import QuotaKey
from tidegate.units import HOUR_US, MINUTE_US

LANE, OTHER = QuotaKey("a", "s", "m"), QuotaKey("b", "s", "m")
HOUR = 490_000
WALL = HOUR * HOUR_US + 30 * MINUTE_US


def of_hour(hour: int) -> int:
    """Tokens: highest at eight hours past, each day."""
    return round(60_000 * (1 + 0.5 * sin(2 * pi * (hour - HOUR - 2) / 24)))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Four weeks of hours, and the minutes of the last three days: one of ten is twice what the others are."""
    first = (HOUR - 72) * 60
    with writing(engine) as connection:
        hours = [
            {"hour": hour, **LANE._asdict(), "charged_tokens": of_hour(hour), "attempts": of_hour(hour) // 100}
            for hour in range(HOUR - 28 * 24, HOUR)
        ]
        connection.execute(insert(LANE_HOURS), hours)
        minutes = [
            {"minute": at, **LANE._asdict(), "charged_tokens": of_hour(at // 60) // 60 * (2 if at % 8 == 0 else 1),
             "attempts": 10}
            for at in range(first, HOUR * 60 + 30)
        ]  # fmt: skip
        connection.execute(insert(LANE_MINUTES), minutes)
        connection.execute(insert(LANE_HOURS).values(hour=HOUR, **OTHER._asdict(), charged_tokens=1))
    return engine


def asked(engine: Engine, *limits: tuple[QuotaKey, LaneLimit]) -> list[Outlook]:
    with engine.connect() as connection:
        return OutlookKeeper().outlooks(connection, WALL, dict(limits))


def test_the_pattern_says_when(filled: Engine) -> None:
    """It rises from 1,000 at two o'clock to 1,500 at eight: 95 % of 1,475 is met in between, the quantile sooner."""
    (found,) = asked(filled, (LANE, LaneLimit(tpm=1_475, source="configured")))
    assert (found.unit, found.method, found.history_hours, found.source) == (
        "tokens", "hour of the week", 28 * 24, "configured",
    )  # fmt: skip
    true = 2 + 24 * asin(1.475 * 0.95 * 2 - 2) / (2 * pi)
    assert found.expected_s is not None
    assert found.expected_s / 3_600 == pytest.approx(true, abs=0.1)
    assert found.likely_s == 0.0
    assert found.peak == pytest.approx(1_500, rel=0.01)
    assert found.peak_s / 3_600 == pytest.approx(8, abs=0.51)
    assert found.exhausted_s == found.expected_s


def test_a_limit_that_is_far_is_not_reached(filled: Engine) -> None:
    """None, which a sample tells as the horizon, so that an alert sees its end."""
    (found,) = asked(filled, (LANE, LaneLimit(tpm=10_000)))
    assert (found.soon_s, found.expected_s, found.likely_s, found.exhausted_s) == (None, None, None, None)
    with filled.connect() as connection:
        assert OutlookKeeper().samples(connection, WALL, {LANE: LaneLimit(tpm=10_000)}) == [
            (METRIC, (("model", "m"), ("provider", "a"), ("scope", "s")), float(HORIZON_S))
        ]


def test_each_unit_has_an_outlook_and_the_sooner_is_the_sample(filled: Engine) -> None:
    """Requests are exhausted now; the names are those that rules may watch."""
    tokens, requests = asked(filled, (LANE, LaneLimit(tpm=10_000, rpm=10)))
    assert (tokens.exhausted_s, requests.soon_s) == (None, 0.0)
    with filled.connect() as connection:
        (sample,) = OutlookKeeper().samples(connection, WALL, {LANE: LaneLimit(tpm=10_000, rpm=10)})
    assert sample.value == 0.0
    assert {name for name, _ in sample.labels} == set(METRICS[METRIC].labels)


def test_lanes_without_limit_or_history(filled: Engine) -> None:
    """No limit, no outlook; no history, no method; a lane of this hour only is not known yet."""
    new = QuotaKey("new", "s", "m")
    found = asked(filled, (LANE, LaneLimit()), (OTHER, LaneLimit(tpm=5)), (new, LaneLimit(rpm=5)))
    assert [(one.lane, one.unit, one.method, one.exhausted_s) for one in found] == [
        (OTHER, "tokens", "", None),
        (new, "requests", "", None),
    ]
    with filled.connect() as connection:
        assert OutlookKeeper().samples(connection, WALL, {}) == []


def test_a_sudden_rise_is_seen_before_the_pattern_knows_it() -> None:
    """By the line of the last five minutes; minutes without use are nothing."""
    quiet = LaneHistory([600.0] * 400, [10.0] * 60 + [20.0, 40.0, 60.0, 80.0, 100.0])
    found = outlook(LANE, "tokens", 179, "", quiet, HOUR * HOUR_US + 5 * MINUTE_US)
    assert found.soon_s == pytest.approx(180.0, abs=1)
    assert found.expected_s is None
    assert found.exhausted_s == found.soon_s
    assert found.rate == 60.0
    assert outlook(LANE, "tokens", 179, "", LaneHistory([], [100.0]), WALL).rate == 20.0


def test_the_past_is_looked_at_once_an_hour(filled: Engine) -> None:
    """Meanwhile the moment stays and comes nearer; the last minutes, and another limit, count at once."""
    keeper, limit = OutlookKeeper(), LaneLimit(tpm=1_475)
    with filled.connect() as connection:
        (first,) = keeper.outlooks(connection, WALL, {LANE: limit})
    with writing(filled) as connection:
        connection.execute(delete(LANE_HOURS))
        connection.execute(delete(LANE_MINUTES))
    with filled.connect() as connection:
        (later,) = keeper.outlooks(connection, WALL + 10 * MINUTE_US, {LANE: limit})
        (other,) = keeper.outlooks(connection, WALL + 10 * MINUTE_US, {LANE: LaneLimit(tpm=10_000)})
        (gone,) = keeper.outlooks(connection, WALL + 30 * MINUTE_US, {LANE: limit})
    assert first.expected_s is not None
    assert first.rate > 0
    assert (later.expected_s, later.rate) == (first.expected_s - 600, 0)
    assert other.expected_s is None
    assert (gone.method, gone.expected_s) == ("", None)
