"""The wait that a queue would have meant."""

import pytest

from bench.proofs.quota.honesty import queue_waits
from tidegate.judge.served import Match
from tidegate.load.visits import End, Try, Visit

SECOND = 1_000_000


def call(sent_s: float, at_s: float | None, tokens: int = 100, done_s: float | None = None) -> Match:
    end = End.ANSWERED if at_s is not None else End.REFUSED
    done = at_s if done_s is None else done_s
    one = Try(int(sent_s * SECOND), int((done or 0) * SECOND), end=end)
    return Match(Visit("t", 0, tokens, one.sent_us, [one]), None if at_s is None else int(at_s * SECOND))


def test_everything_that_came_before_and_was_not_served_yet_stands_before():
    """Two of three, and the call itself."""
    calls = [call(0, 1), call(0, 5), call(1.5, 9), call(2, None, done_s=2)]
    assert queue_waits(calls, [calls[3]], 100) == [pytest.approx(3)]


def test_one_that_was_told_to_come_back_stands_before_too():
    """It would be in that queue."""
    back = call(0, 8)
    calls = [back, call(1, None, done_s=1)]
    assert queue_waits(calls, [calls[1]], 50) == [pytest.approx(4)]
