"""Use against quota over time, the limits that were in force, and what is let go of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select

from tidegate.store import trends
from tidegate.store.duties import Deposed
from tidegate.store.engine import writing
from tidegate.store.lane_limits import Change, History, LaneLimit, latest, note
from tidegate.store.lane_tables import LANE_HOURS, LANE_LIMITS, LANE_MINUTES
from tidegate.store.tables import HOURLY
from tidegate.store.trends import Point, SeriesQuery, TooMany, Use, drop_before, series
from tidegate.store.upgrade import upgrade
from tidegate.store.utilisation import QuotaKey
from tidegate.units import MINUTE_US

LANE, OTHER = QuotaKey("a", "s", "m"), QuotaKey("b", "s", "m")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


NOON = at("2026-03-01T12:00")
MINUTE = NOON // MINUTE_US


def used(engine: Engine, lane: QuotaKey, minute: int, tokens: int) -> None:
    """In a minute, and in its hour."""
    with writing(engine) as connection:
        where = lane._asdict()
        connection.execute(insert(LANE_MINUTES).values(minute=minute, **where, charged_tokens=tokens, attempts=1))
        of_hour = (LANE_HOURS.c.hour == minute // 60) & (LANE_HOURS.c.provider == lane.provider)
        if not connection.execute(
            LANE_HOURS.update().where(of_hour).values(charged_tokens=LANE_HOURS.c.charged_tokens + tokens)
        ).rowcount:
            connection.execute(insert(LANE_HOURS).values(hour=minute // 60, **where, charged_tokens=tokens))


def noted(engine: Engine, minute: int, limits: Mapping[QuotaKey, LaneLimit]) -> int:
    with writing(engine) as connection:
        return note(connection, minute, limits)


def asked(
    engine: Engine, since: str, until: str, unit: str, wall: int = NOON * 2, zone: tzinfo = UTC, **filters: str
) -> list[Point]:
    with engine.connect() as connection:
        return series(connection, SeriesQuery(at(since), at(until), wall, unit, filters, zone))


def test_minutes_stand_beside_the_limit_that_was_in_force(engine: Engine) -> None:
    """What is noted holds until the next change; other lanes are not touched."""
    noted(engine, MINUTE - 200, {LANE: LaneLimit(1_000, 10, "configured"), OTHER: LaneLimit(7)})
    noted(engine, MINUTE + 1, {LANE: LaneLimit(600, 10, "refusals")})
    for minute in (0, 1):
        used(engine, LANE, MINUTE + minute, 500)
    used(engine, OTHER, MINUTE, 3)
    found = asked(engine, "2026-03-01T12:00", "2026-03-01T12:02", "minute")
    assert [(one.at_us, one.lane, one.use.charged_tokens, one.quota_tokens, one.limit.source) for one in found] == [
        (NOON, LANE, 500, 1_000, "configured"),
        (NOON, OTHER, 3, 7, ""),
        (NOON + MINUTE_US, LANE, 500, 600, "refusals"),
    ]
    assert [one.use for one in asked(engine, "2026-03-01T12:01", "2026-03-02T00:00", "minute", provider="a")] == [
        Use(charged_tokens=500, attempts=1)
    ]


def test_an_hour_that_is_not_over_has_the_quota_until_now(engine: Engine) -> None:
    """And one in which the limit changed has both parts."""
    noted(engine, MINUTE - 60, {LANE: LaneLimit(1_000, 10)})
    noted(engine, MINUTE + 15, {LANE: LaneLimit(500, 0)})
    used(engine, LANE, MINUTE, 1)
    (whole,) = asked(engine, "2026-03-01T12:00", "2026-03-01T13:00", "hour")
    assert (whole.quota_tokens, whole.quota_requests) == (15 * 1_000 + 45 * 500, 0)
    (part,) = asked(engine, "2026-03-01T12:00", "2026-03-01T13:00", "hour", wall=NOON + 19 * MINUTE_US + 1)
    assert part.quota_tokens == 15 * 1_000 + 5 * 500
    assert part.limit == LaneLimit(500, 0)


def test_what_was_before_the_first_note_is_not_known(engine: Engine) -> None:
    """But for the hour before it: a gate notes its limits some seconds after its first call."""
    noted(engine, MINUTE + 1, {LANE: LaneLimit(10)})
    used(engine, LANE, MINUTE - 100, 1)
    used(engine, LANE, MINUTE, 1)
    assert [one.quota_tokens for one in asked(engine, "2026-03-01T10:00", "2026-03-01T12:01", "minute")] == [0, 10]


def test_days_are_those_of_the_zone(engine: Engine) -> None:
    """The day on which Berlin's clocks go forward has 23 hours, and its quota is theirs."""
    noted(engine, at("2026-03-20T00:00") // MINUTE_US, {LANE: LaneLimit(100)})
    for when in ("2026-03-28T23:30", "2026-03-29T21:30", "2026-03-29T22:30"):
        used(engine, LANE, at(when) // MINUTE_US, 5)
    found = asked(engine, "2026-03-28T23:00", "2026-03-29T23:00", "day", zone=ZoneInfo("Europe/Berlin"))
    assert [(one.at_us, one.use.charged_tokens, one.quota_tokens) for one in found] == [
        (at("2026-03-28T23:00"), 10, 23 * 60 * 100),
        (at("2026-03-29T22:00"), 5, 24 * 60 * 100),
    ]


def test_too_much_at_once_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(trends, "MOST", 1)
    used(engine, LANE, MINUTE, 1)
    used(engine, OTHER, MINUTE, 1)
    with pytest.raises(TooMany):
        asked(engine, "2026-03-01T12:00", "2026-03-01T12:02", "minute")


def test_limits_are_noted_when_they_change(engine: Engine) -> None:
    """Twice in a minute the last one counts; names that a column cannot hold are cut alike."""
    long = QuotaKey("a" * 200, "s", "m\0")
    limits = {LANE: LaneLimit(10, 1, "configured"), long: LaneLimit(5)}
    assert (noted(engine, 100, limits), noted(engine, 101, limits), noted(engine, 101, {LANE: LaneLimit(9)})) == (
        2,
        0,
        1,
    )
    assert noted(engine, 101, {LANE: LaneLimit(8, 2, "headers")}) == 1
    with engine.connect() as connection:
        assert latest(connection)[LANE] == LaneLimit(8, 2, "headers")


def test_old_minutes_and_hours_go(engine: Engine) -> None:
    """Of limits enough stays to know what was in force in each hour that is kept, and at its beginning."""
    for minute in range(60_000, 60_000 + 600, 60):
        used(engine, LANE, minute, 1)
    for minute in (100, 200, 59_990, 60_000, 60_030, 60_059, 60_100, 60_599):
        noted(engine, minute, {LANE: LaneLimit(minute)})
    assert drop_before(engine, 60_300, 1_002) > 0
    with engine.connect() as connection:
        assert connection.scalars(select(LANE_MINUTES.c.minute)).all() == [60_300, 60_360, 60_420, 60_480, 60_540]
        assert connection.scalars(select(LANE_HOURS.c.hour)).all() == list(range(1_002, 1_010))
        assert connection.scalars(select(LANE_LIMITS.c.minute).order_by(LANE_LIMITS.c.minute)).all() == [60_100, 60_599]
    assert drop_before(engine, 60_300, 1_002) == 0


def test_only_the_leader_lets_go(engine: Engine) -> None:
    """Who has lost the duty deletes nothing."""
    used(engine, LANE, 5, 1)

    @contextmanager
    def deposed(_engine: Engine) -> Iterator[Connection]:
        raise Deposed("another leads")
        yield

    with pytest.raises(Deposed):
        drop_before(engine, 100, 100, deposed)
    with engine.connect() as connection:
        assert connection.scalars(select(LANE_MINUTES.c.minute)).all() == [5]


@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(0, 50), st.integers(0, 5)), max_size=6),
    st.integers(900, 1_100),
    st.integers(0, 200),
)
def test_what_was_allowed_is_the_sum_of_its_minutes(gaps: list[tuple[int, int, int]], begin: int, long: int) -> None:
    """Minute by minute, whatever changed when; 0 where a part had no limit."""
    minute, changes = 1_000, []
    for gap, tpm, rpm in gaps:
        minute += gap
        changes.append(Change(minute, LaneLimit(tpm, rpm)))
    history = History(changes)
    allowed = history.allowed(begin, begin + long)
    if not changes or not long or begin < changes[0].minute - 60:
        assert allowed is None
        return
    each = [history.at(minute) for minute in range(begin, begin + long)]
    tokens = sum(one.tpm for one in each) if all(one.tpm for one in each) else 0
    requests = sum(one.rpm for one in each) if all(one.rpm for one in each) else 0
    assert allowed == (tokens, requests)


def test_hours_of_before_are_filled_by_the_upgrade(bare: Engine) -> None:
    """From the sums that there are, over all tenants; what nobody was asked has no lane."""
    upgrade(bare, "0007")
    who = {"user": "u", "key": "k", "plan": "p", "tag": "", "model": "m"}
    with writing(bare) as connection:
        for namespace, provider in (("x", "a"), ("y", "a"), ("x", "")):
            where = {"namespace": namespace, "provider": provider, "scope": "s"}
            connection.execute(insert(HOURLY).values(hour=490_000, calls=1, charged_tokens=5, **who, **where))
    upgrade(bare)
    with bare.connect() as connection:
        rows = connection.execute(select(LANE_HOURS)).mappings().all()
    assert [(row["provider"], row["calls"], row["charged_tokens"]) for row in rows] == [("a", 2, 10)]
