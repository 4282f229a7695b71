"""How often channels may be spoken to."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.channels.stand import SETTINGS, notice
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.table import open_channel
from tidegate.alerts.face import NotSent
from tidegate.testing.channels import Stand
from tidegate.testing.channels.rates import Rate
from tidegate.testing.clock import ManualClock

SECOND = 1_000_000
MINUTE = 60 * SECOND
LIMITS = {"dingtalk": 20, "wecom": 20, "feishu": 100, "slack": 60}


@settings(deadline=None)
@given(
    limit=st.integers(1, 200),
    gaps=st.lists(st.integers(0, 90 * SECOND), max_size=120),
    died=st.integers(0, 119),
)
def test_no_minute_sees_more_than_the_limit(limit: int, gaps: list[int], died: int) -> None:
    """Whenever somebody wants to send, and also over the death of a process, which knows nothing of what it sent."""
    pace, now, sent = Pace(limit), 0, []
    for number, gap in enumerate(gaps):
        now += gap
        if number == died:
            pace = Pace(limit)
        if pace.wait(now) == 0:
            pace.take(now)
            sent.append(now)
    allowed = max(limit, 2)  # of a limit of one, each process sends one
    assert all(later - first >= MINUTE for first, later in zip(sent, sent[allowed:], strict=False))


@settings(deadline=None)
@given(limit=st.integers(1, 6_000), second=st.integers(1, 10))
def test_what_waits_is_sent(limit: int, second: int) -> None:
    """Whoever waits as long as it is told may send then; no second sees more than its limit."""
    pace, now, sent = Pace(limit, second), 0, []
    for _ in range(40):
        now += pace.wait(now)
        assert pace.wait(now) == 0
        pace.take(now)
        sent.append(now)
    assert all(later - first >= SECOND for first, later in zip(sent, sent[second:], strict=False))


def test_shut() -> None:
    """What a service says of when it takes messages again goes before everything."""
    pace = Pace(60)
    pace.shut(10 * SECOND)
    assert pace.wait(4 * SECOND) == 6 * SECOND
    pace.shut(5 * SECOND)
    assert pace.wait(10 * SECOND) == 0


@pytest.mark.parametrize("kind", list(LIMITS))
async def test_a_hundred_notices_pass_a_robot_that_counts(kind: str) -> None:
    """Nothing is refused and nothing dropped: who is told to wait waits, and all are taken, in order, in their time."""
    clock = ManualClock()
    with Stand(now=lambda: clock.wall() / SECOND) as stand:
        opened = open_channel(stand.channel(kind, timeout_us=SECOND), SETTINGS, clock)
        for number in range(100):
            while True:
                try:
                    await opened.send(notice(named=f"n{number}", at=clock.wall()))
                    break
                except NotSent as early:
                    await clock.advance(early.retry_after_us or 0)
        assert stand.refused == []
        assert len(stand.kept()) == 100
        took = clock.now() - SECOND
        assert took <= 100 * MINUTE * 5 // (LIMITS[kind] * 3)


async def test_without_its_pace_a_robot_refuses() -> None:
    """The test above can fail: who speaks too fast is refused with the documented code, and shut out."""
    clock = ManualClock()
    with Stand(now=lambda: clock.wall() / SECOND) as stand:
        channel = msgspec.structs.replace(stand.channel("dingtalk"), per_minute=6_000)
        opened = open_channel(channel, SETTINGS, clock)
        for number in range(20):
            await opened.send(notice(named=f"n{number}"))
        with pytest.raises(NotSent, match="code 130101: more than 20 messages in a minute") as refused:
            await opened.send(notice(named="late"))
        assert refused.value.retry_after_us == 600 * SECOND
        with pytest.raises(NotSent, match="the next one in 600 s"):
            await opened.send(notice(named="late"))
        assert len(stand.refused) == 1


def test_a_rate_that_bans() -> None:
    """The imitation's own counting: exact over every span, and shut for the ban."""
    rate = Rate(2, 60, ban_s=600)
    assert [rate.passes(at) for at in (0, 30, 59, 100, 659, 660)] == [True, True, False, False, True, True]
