"""What the demo shows: gathered once a second, of the last seconds only."""

import pytest

from tidegate.load.ledger import Account
from tidegate.load.outcome import CallResult, Ending
from tidegate.load.pulse import GateGauges, Gathering, Pulse, read_gauges

METRICS = """\
# HELP tidegate_queue_calls Calls waiting for quota
# TYPE tidegate_queue_calls gauge
tidegate_queue_calls{model="*",pool="openai",tier="paid",worker="0"} 0.0
tidegate_queue_calls{model="gpt-4o",pool="openai",tier="vip",worker="0"} 7.0
tidegate_queue_calls{model="gpt-4o",pool="openai",tier="paid",worker="0"} 2.0
tidegate_queue_calls{model="gpt-4o-mini",pool="openai",tier="paid",worker="0"} 5.0
tidegate_quota_left{model="gpt-4o",provider="openai",scope="main",unit="tokens",worker="0"} 1.25e+05
tidegate_quota_limit{model="gpt-4o",provider="openai",scope="main",unit="tokens",worker="0"} 150000.0
tidegate_quota_left{model="gpt-4o",provider="openai",scope="main",unit="requests",worker="0"} 2990.0
tidegate_quota_limit{model="gpt-4o",provider="openai",scope="main",unit="requests",worker="0"} 3000.0
"""


def test_gauges() -> None:
    """One model's gauges, over all its scopes; labels are matched whole."""
    assert read_gauges(METRICS, "gpt-4o") == GateGauges(9, 25_000, 150_000, 10, 3_000)
    assert read_gauges("", "gpt-4o") == GateGauges()


def ended(at_us: int, done_us: int, ending: Ending = Ending.ANSWERED, waited_us: int = -1) -> CallResult:
    return CallResult(0, at_us, 1, 1, streamed=False, ending=ending, done_us=done_us, waited_us=waited_us)


def see(gathering: Gathering, second: int, per_second: list[int], waiting: int = 0) -> Pulse:
    account = Account(throttled=3, avoidable=1, per_second=per_second)
    return gathering.pulse(second * 1_000_000, 5, 2, account, GateGauges(waiting))


def test_times_are_of_the_last_ten_seconds() -> None:
    """A call that ended eleven seconds ago is in the counts, not in the times; refusals have no times."""
    gathering = Gathering()
    gathering.add(ended(0, 1_000_000))
    gathering.add(ended(8_000_000, 2_000_000, waited_us=500_000))
    gathering.add(ended(9_000_000, 1_000, Ending.REFUSED))
    pulse = see(gathering, 12, [])
    assert (pulse.latency.count, pulse.latency.max) == (1, 2_000.0)
    assert (pulse.waited.count, pulse.waited.max) == (1, 500.0)
    assert (pulse.endings[Ending.ANSWERED], pulse.endings[Ending.REFUSED]) == (2, 1)
    assert (pulse.second, pulse.sent, pulse.open, pulse.throttled, pulse.avoidable) == (12, 5, 2, 3, 1)


@pytest.mark.parametrize(
    ("per_second", "charged", "pace"),
    [
        ([], (), 0),
        ([900], (), 0),  # a second that is not over is not shown
        ([100, 900], (100,), 100),
        ([0] * 30 + [200] * 10 + [5], (0,) * 30 + (200,) * 10, 200),
        (list(range(100)), tuple(range(39, 99)), 93),
    ],
)
def test_charged(per_second: list[int], charged: tuple[int, ...], pace: int) -> None:
    """The last sixty whole seconds, and the mean of the last ten."""
    pulse = see(Gathering(), 1, per_second)
    assert (pulse.charged, pulse.tokens_a_second) == (charged, pace)


def test_queue_of_the_last_minute() -> None:
    """The queue is remembered for sixty looks."""
    gathering = Gathering()
    pulses = [see(gathering, second, [], waiting=second) for second in range(70)]
    assert pulses[-1].queue == tuple(range(10, 70))
