"""Lanes and queues as whoever looks on is shown them."""

from typing import Any

import pytest

from tidegate.model.belief import Belief
from tidegate.model.standing import LaneSums, LimitedSums, NodeStanding
from tidegate.observe.live import LiveQuota, Told, asked, in_use, lanes, moment, queues
from tidegate.observe.meters import AnswersMeter, ClusterMeter, LaneGauge, PoolGauge

NAME = "openai/main/gpt-4o"


def gauge(name: str = NAME, **more: Any) -> LaneGauge:
    return LaneGauge(name, 300, 1_000, -1, -1, **more)


def standing(*found: LaneSums, limited: tuple[LimitedSums, ...] = ()) -> NodeStanding:
    return NodeStanding("one", 1, lanes=list(found), limited=list(limited))


def sums(model: str = "gpt-4o", tokens: int = 0, **more: Any) -> LaneSums:
    return LaneSums("openai", "main", model, tokens, 1_000, 7, -1, **more)


def test_what_calls_in_flight_hold_is_told_apart() -> None:
    """Of all workers; what was charged is what is settled and what is reserved. Without a limit there is none."""
    told = [Told([gauge(calls=2, reserved=100)]), Told([gauge(calls=1, reserved=50)])]
    (lane,) = lanes(standing(sums(tokens=400)), told)
    assert lane.tokens == LiveQuota(250, 150, 1_000, None)
    assert lane.requests == LiveQuota(7, 0, None, None)
    assert (lane.in_flight, lane.permille) == (3, 400)


BUCKET = {"used_tokens": 700}


@pytest.mark.parametrize(
    ("charged", "gauges", "used", "reserved"),
    [
        (1_870, [gauge(used_tokens=990)], 1_000, 0),  # a bucket that was full: a minute's charges are 187 % of it
        (1_870, [gauge(used_tokens=990, reserved=300)], 700, 300),
        (0, [gauge(used_tokens=40)], 40, 0),  # of a worker before this one
        (900, [gauge(used_tokens=0, reserved=500)], 400, 500),  # a bucket that keeps up: what a minute took
        (900, [gauge(used_tokens=-1)], 900, 0),
        (900, [LaneGauge(NAME, 3, 16, -1, -1, used_tokens=13, tokens=Belief(limit=1_000))], 900, 0),  # a second's
        (900, [], 900, 0),
    ],
)
def test_what_is_in_use_of_a_limit(charged: int, gauges: list[LaneGauge], used: int, reserved: int) -> None:
    """As its mirror counts or as a minute took, whichever is more; the curves say the same."""
    told, node = [Told(gauges)], standing(sums(tokens=charged))
    (lane,) = lanes(node, told)
    assert lane.tokens == LiveQuota(used, reserved, 1_000, None)
    assert list(in_use(node, told)) == [(NAME, used + reserved, 7, reserved)]


@pytest.mark.parametrize(("charged", "used"), [(300, 300), (1_870, 1_000)])
def test_what_is_in_use_of_a_limit_that_workers_share(charged: int, used: int) -> None:
    """Of it the node has what it charged, and no more than all of it."""
    shared = [Told([gauge(**BUCKET)], cluster=ClusterMeter("shared", 2, 0, 0))] * 2
    (lane,) = lanes(standing(sums(tokens=charged)), shared)
    assert (lane.tokens.used, lane.tokens.everywhere) == (used, 700)


def test_what_was_learnt_and_what_all_workers_used() -> None:
    """The latter only where they share their state: then one of them knows most of it."""
    shared, alone = ClusterMeter("shared", 2, 0, 0), ClusterMeter("local", 2, 0, 0)
    learnt = gauge(tokens=Belief(learnt=800, limit=800))
    (lane,) = lanes(standing(sums()), [Told([learnt], cluster=shared), Told([gauge()], cluster=alone)])
    assert (lane.tokens.learned, lane.tokens.everywhere, lane.requests.everywhere) == (800, 700, None)
    (lane,) = lanes(standing(sums()), [Told([learnt], cluster=alone)])
    assert lane.tokens.everywhere is None


def test_what_to_look_at_comes_first() -> None:
    """Closed lanes, those of limited models, then the fullest."""
    found = lanes(
        standing(
            sums("idle"), sums("full", 900), sums("limited"), sums("closed", closed_since_us=1_000_000),
            limited=(LimitedSums("limited", 2_000_000, 3_000_000),),
        ),
        [Told(drained=frozenset({"openai/main"}))],
    )  # fmt: skip
    assert [lane.model for lane in found] == ["closed", "limited", "full", "idle"]
    assert found[0].closed_since == "1970-01-01T00:00:01Z"
    assert found[1].limited_since == "1970-01-01T00:00:02Z"
    assert all(lane.drained for lane in found)


def test_queues() -> None:
    """Who waits now, of all workers, and how long others had to; where neither is, there is no row."""
    told = [
        Told(pools=[PoolGauge("p", "m", {"vip": 2, "free": 0}, 0, 0), PoolGauge("q", "m", {"paid": 0}, 0, 0)]),
        Told(pools=[PoolGauge("p", "m", {"vip": 1}, 0, 0)]),
    ]
    found = queues(told, {("p", "m", "free"): (5, 9)})
    assert [(one.pool, one.tier, one.waiting, one.wait_p50_ms, one.wait_p99_ms) for one in found] == [
        ("p", "vip", 3, 0, 0),
        ("p", "free", 0, 5, 9),
    ]


def test_the_cache_is_asked_at_its_first_layer() -> None:
    """Whatever layer has it, it is one question."""
    layers = [AnswersMeter("memory", 10, 3), AnswersMeter("disk", 7, 2)]
    assert asked([Told(answers=layers), Told(answers=layers[:1])]) == (20, 8)


def test_moments() -> None:
    """None for 0."""
    assert moment(0) is None
    assert moment(1_500_000) == "1970-01-01T00:00:01.500000Z"
