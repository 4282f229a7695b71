"""How long a pool takes for so much."""

import pytest

from tidegate.model.tenant import FREE, VIP, Tenant
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.forecast import LOOKED_AT, Forecast
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.queue.records import Ahead
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SlidingLog

SECOND = 1_000_000
A_VIP, A_FREE = Tenant("v", VIP), Tenant("f", FREE)


def pool(count: int, *, tpm: int = 60_000, tiered: bool = False) -> Forecast:
    """Outlets of 1,000 tokens a second each, from which everything was taken."""
    outlets = [Outlet(str(number), Quota((), (Bucket(tpm, 0),) if tpm else ())) for number in range(count)]
    for one in outlets:
        for allowed in one.quota.tokens:
            allowed.take(allowed.left(0), 0)
    return Forecast(Outlets(outlets, pick("headroom")), lambda: 0.5, tiered=tiered)


@pytest.mark.parametrize("count", [1, 3, LOOKED_AT + 5])
def test_the_whole_pool_serves_what_is_ahead(count: int) -> None:
    """However many outlets there are, and however few are looked at."""
    forecast = pool(count)
    ahead = Ahead(10 * count, 10_000 * count)
    assert forecast.wait(A_FREE, Charge(1_000), ahead, 0) == 11 * SECOND
    assert forecast.token_us(A_FREE, 0) == pytest.approx(1_000 / count)
    assert forecast.per_minute() == 60_000 * count == forecast.about_per_minute()


def test_a_pool_without_outlets_or_limits() -> None:
    """The one never serves, the other takes no time."""
    assert pool(0).wait(A_FREE, Charge(1), Ahead(0, 0), 0) == NEVER
    assert pool(0).token_us(A_FREE, 0) == 0 == pool(0).about_per_minute()
    free = pool(2, tpm=0)
    assert (free.wait(A_FREE, Charge(1), Ahead(5, 5_000), 0), free.token_us(A_FREE, 0), free.per_minute()) == (0, 0, 0)
    assert free.about_per_minute() == 0


def test_what_a_reservation_costs_in_the_end() -> None:
    """Half, in each way: what was settled, and what turned out to be cached; a request refused unread says nothing."""
    settled, spared = pool(1), pool(1)
    for _ in range(100):
        settled.settled(2_000, 1_000)
        spared.settled(1_000, 1_000)
        spared.spared(1_000)
    settled.settled(900_000, 0)
    for forecast in (settled, spared):
        assert forecast.token_us(A_FREE, 0) == pytest.approx(500, rel=0.01)
        assert forecast.wait(A_FREE, Charge(0), Ahead(1, 10_000), 0) == pytest.approx(5 * SECOND, rel=0.01)


def test_a_lower_tier_gets_what_is_left() -> None:
    """Three quarters of late service went to vip; a successor knows it too."""
    forecast, heir = pool(1, tiered=True), pool(1, tiered=True)
    forecast.served(A_VIP, 3_000, 0)
    forecast.served(A_FREE, 1_000, 0)
    heir.inherit(forecast)
    for one in (forecast, heir):
        assert one.wait(A_VIP, Charge(1_000), Ahead(0, 0), 0) == SECOND
        assert one.wait(A_FREE, Charge(1_000), Ahead(0, 0), 0) == 4 * SECOND
        assert one.token_us(A_FREE, 0) == pytest.approx(4_000)


def test_where_idle_tokens_are_lost() -> None:
    """On a window, not in a bucket."""
    log = Outlet("log", Quota((), (SlidingLog(60_000, window_us=60 * SECOND),)))
    assert Forecast(Outlets([log], pick("headroom")), lambda: 0.0, tiered=False).fleeting
    assert not pool(1).fleeting
    assert not pool(0).fleeting
