"""Whose fault a failure is, and who may probe."""

import pytest

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import LONGEST_PARKED_US, PARKED_US, Breaker
from tidegate.policy.failure.health import FIRST_PAUSE_US, PROBE_GUESS_US, TRIP_AFTER, Health

SECOND = 1_000_000


class Estate:
    """Two scopes with two models each, at one provider."""

    def __init__(self) -> None:
        self.scopes = {name: Health() for name in "ab"}
        self.models = {name: Health() for name in "mn"}
        self.lanes = {s + m: Breaker(self.scopes[s], self.models[m]) for s in "ab" for m in "mn"}

    def closed(self) -> set[str]:
        return {name for name, breaker in self.lanes.items() if breaker.limited}


def fail(breaker: Breaker, reason: Reason, now: int = 0, named_us: int | None = None) -> bool:
    return breaker.fail(reason, breaker.epochs, breaker.enter(), now, named_us)


@pytest.mark.parametrize(
    ("reason", "closed"),
    [
        (Reason.AUTH, {"am", "an"}),
        (Reason.BILLING, {"am", "an"}),
        (Reason.RATE, {"am"}),
        (Reason.RAMP, {"am"}),
        (Reason.CAPACITY, {"am"}),
        (Reason.OVERLOAD, {"am", "bm"}),
        (Reason.TRANSIENT, set()),
        (Reason.FATAL, set()),
        (Reason.POLICY, set()),
        (Reason.TOO_LARGE, set()),
    ],
)
def test_who_is_closed(reason: Reason, closed: set[str]) -> None:
    """A credential closes the scope, a quota the lane, an overload the model at every scope; the rest nobody."""
    estate = Estate()
    fail(estate.lanes["am"], reason, named_us=5 * SECOND)
    assert estate.closed() == closed


@pytest.mark.parametrize(
    ("reason", "out", "closed"),
    [
        (Reason.BILLING, "model", {"am"}),
        (Reason.AUTH, "model", {"am"}),
        (Reason.AUTH, "key", {"am", "an"}),
        (Reason.RATE, "scope", {"am", "an"}),
        (Reason.RATE, "key", {"am"}),
        (Reason.CAPACITY, "provider", {"am", "bm"}),
        (Reason.BILLING, "request", set()),
        (Reason.FATAL, "scope", set()),
    ],
)
def test_what_the_provider_says_to_be_out(reason: Reason, out: str, closed: set[str]) -> None:
    """Goes before the class's own; a key's refusal that gets here was that of the scope's last one."""
    estate = Estate()
    breaker = estate.lanes["am"]
    breaker.fail(reason, breaker.epochs, 0, 0, 5 * SECOND, out)
    assert estate.closed() == closed


def test_no_money_for_one_model_is_asked_about_once_a_minute() -> None:
    """As no money at all is."""
    breaker = Breaker()
    breaker.fail(Reason.BILLING, breaker.epochs, 0, 0, None, "model")
    assert breaker.wait(0) == PARKED_US


def test_a_month_without_money_is_asked_about_once_an_hour() -> None:
    """A spend limit that ends on the first of the month may be raised before."""
    breaker = Breaker()
    breaker.fail(Reason.BILLING, breaker.epochs, 0, 0, 20 * 86_400 * SECOND, "scope")
    assert breaker.wait(0) == LONGEST_PARKED_US


def test_a_quota_of_the_day_lasts_as_long_as_it_says() -> None:
    """It is no question of money: before that time nothing helps."""
    breaker = Breaker()
    breaker.fail(Reason.RATE, breaker.epochs, 0, 0, 7 * 3_600 * SECOND, "model")
    assert breaker.wait(0) == 7 * 3_600 * SECOND


@pytest.mark.parametrize("reason", [Reason.OVERLOAD, Reason.CAPACITY])
def test_one_answer_without_capacity_does_not_close_the_provider(reason: Reason) -> None:
    """Where capacity is shared by everybody, one refusal among many answers is usual; a named time is not."""
    breaker = Breaker()
    breaker.fail(reason, breaker.epochs, 0, 0, None, "provider")
    assert breaker.wait(0) == 0
    breaker.succeed(breaker.epochs)
    breaker.fail(reason, breaker.epochs, 0, 0, 5 * SECOND, "provider")
    assert breaker.wait(0) == 5 * SECOND


def test_a_limit_of_the_whole_scope_lasts_as_long_as_it_says() -> None:
    """It is a quota and no want of money."""
    breaker = Breaker()
    breaker.fail(Reason.RATE, breaker.epochs, 0, 0, 5 * SECOND, "scope")
    assert breaker.wait(0) == 5 * SECOND


@pytest.mark.parametrize("reason", [Reason.OVERLOAD, Reason.TRANSIENT])
def test_only_on_end_without_a_named_time(reason: Reason) -> None:
    """One overload among answers closes nothing; three on end do, and trip."""
    breaker = Breaker()
    for _ in range(10):
        assert not fail(breaker, reason)
        assert not fail(breaker, reason)
        assert not breaker.limited
        assert not breaker.succeed(breaker.epochs)
        assert breaker.failures == 0
    tripped = [fail(breaker, reason) for _ in range(TRIP_AFTER)]
    assert tripped == [False] * (TRIP_AFTER - 1) + [True]
    assert breaker.limited
    assert breaker.tripped


def test_one_probe_for_all_who_share() -> None:
    """While one lane probes the model at the provider, no other lane does; its answer opens all of them."""
    estate = Estate()
    first, second = estate.lanes["am"], estate.lanes["bm"]
    fail(first, Reason.OVERLOAD, 0, 2 * SECOND)
    assert second.wait(SECOND) == SECOND
    assert first.wait(2 * SECOND) == second.wait(2 * SECOND) == 0
    probe, epochs = second.enter(), second.epochs
    assert probe
    assert first.blocked()
    assert first.wait(2 * SECOND) == PROBE_GUESS_US
    assert second.succeed(epochs)
    assert not first.limited
    assert estate.closed() == set()


def test_who_leaves_gives_up_only_its_own_probe() -> None:
    """A lane's probe that is abandoned leaves another lane's probe of the shared health alone."""
    estate = Estate()
    lane, other = estate.lanes["am"], estate.lanes["bm"]
    fail(lane, Reason.RATE, 0, SECOND)
    own = lane.enter()
    fail(other, Reason.OVERLOAD, 0, SECOND)
    shared = other.enter()
    lane.abandon(own)
    assert lane.blocked()
    other.abandon(shared)
    assert not lane.blocked()


def test_a_quota_refusal_speaks_well_of_the_credential() -> None:
    """A probe for AUTH that comes back with RATE opens the scope and closes the lane."""
    estate = Estate()
    lane, sister = estate.lanes["am"], estate.lanes["an"]
    fail(lane, Reason.AUTH, 0)
    assert lane.wait(0) == PARKED_US
    lane.fail(Reason.RATE, lane.epochs, lane.enter(), PARKED_US, SECOND)
    assert not sister.limited
    assert lane.limited
    assert lane.wait(PARKED_US) == SECOND


def test_a_failure_of_another_class_says_nothing() -> None:
    """A probe for AUTH that meets an overload or a reset gives its place to the next one."""
    for reason in (Reason.OVERLOAD, Reason.TRANSIENT):
        breaker = Breaker()
        fail(breaker, Reason.AUTH, 0)
        breaker.fail(reason, breaker.epochs, breaker.enter(), PARKED_US)
        assert breaker.limited
        assert not breaker.blocked()
        assert breaker.wait(PARKED_US) == 0


def test_of_many_in_flight_only_the_first_counts() -> None:
    """Calls that began before the refusal neither count nor open, and one answered late opens nothing."""
    breaker = Breaker()
    epochs = breaker.epochs
    for _ in range(100):
        breaker.fail(Reason.RATE, epochs, 0, 0)
    assert breaker.failures == 1
    assert breaker.wait(0) == FIRST_PAUSE_US
    assert not breaker.succeed(epochs)
    assert breaker.limited


def test_listeners_hear_of_what_others_did() -> None:
    """Every lane that shares a health is told, until it stops listening or is closed; who listens to many, once."""
    estate = Estate()
    heard: list[str] = []
    lane = estate.lanes["bm"]

    def listener() -> None:
        heard.append("bm")

    lane.listen(listener)
    fail(estate.lanes["am"], Reason.OVERLOAD, 0, SECOND)
    assert heard == ["bm"]
    lane.unlisten(listener)
    lane.unlisten(listener)
    estate.lanes["am"].succeed(estate.lanes["am"].epochs)
    assert heard == ["bm"]
    for one in estate.lanes.values():
        one.listen(listener)
    estate.lanes["am"].succeed(estate.lanes["am"].epochs)
    fail(estate.lanes["am"], Reason.AUTH, 0)
    assert heard == ["bm"] * 2
    lane.close()
    estate.lanes["bn"].close()
    estate.lanes["am"].close()
    estate.lanes["an"].close()
    fail(estate.lanes["am"], Reason.OVERLOAD, 0, SECOND)
    assert heard == ["bm"] * 2


def test_open_costs_nothing() -> None:
    """All open: no probe, no wait, nothing to open."""
    breaker = Breaker()
    assert (breaker.wait(0), breaker.enter(), breaker.blocked(), breaker.tripped) == (0, 0, False, False)
    assert not breaker.succeed(breaker.epochs)
