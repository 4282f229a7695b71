"""Told times against the provider's ledger."""

import pytest

from bench.proofs.wire.truth import Offered, Told, errors

RATE = 100.0  # tokens per second


def test_a_true_time_has_no_error() -> None:
    """1,000 tokens stand before a call of 200 at 100 tokens a second: 12 s is true."""
    calls = [Offered(0.0, 1_000, refused=False), Offered(1.5, 200, refused=True)]
    assert errors(calls, [Told(1, 1.5, 12.0)], charged=[0], rate=RATE) == [pytest.approx(0.0)]


def test_what_was_charged_no_longer_stands_before() -> None:
    """300 of the 1,000 tokens were charged in the first two seconds, so 12 s is 3 s too long."""
    calls = [Offered(0.0, 1_000, refused=False), Offered(2.0, 200, refused=True)]
    assert errors(calls, [Told(1, 2.0, 12.0)], charged=[200, 100], rate=RATE) == [pytest.approx(3.0)]


@pytest.mark.parametrize(("wait", "error"), [(1.5, -0.5), (2.0, 0.0), (40.0, 0.0), (52.0, 0.0), (53.0, 1.0)])
def test_who_was_told_a_time_before_may_stand_before(wait: float, error: float) -> None:
    """A refused call of 5,000 tokens delays the next by none of them, or all: it may come back or not."""
    calls = [Offered(0.0, 100, refused=False), Offered(0.1, 5_000, refused=True), Offered(1.1, 100, refused=True)]
    told = [Told(1, 0.1, 50.0), Told(2, 1.1, wait)]
    assert errors(calls, told, charged=[0], rate=RATE)[1] == pytest.approx(error)


def test_a_time_that_has_passed_stands_before_nobody() -> None:
    """Who was to be there by now is there, or does not come."""
    calls = [Offered(0.0, 100, refused=False), Offered(0.1, 5_000, refused=True), Offered(3.0, 100, refused=True)]
    told = [Told(1, 0.1, 2.0), Told(2, 3.0, 3.0)]
    assert errors(calls, told, charged=[0], rate=RATE)[1] == pytest.approx(1.0)


def test_later_calls_stand_behind() -> None:
    """What is due after the refusal has no part in its time: telling too little shows as a negative error."""
    calls = [Offered(0.0, 100, refused=False), Offered(1.0, 100, refused=True), Offered(3.0, 900, refused=False)]
    assert errors(calls, [Told(1, 1.0, 0.5)], charged=[0], rate=RATE) == [pytest.approx(-1.5)]
