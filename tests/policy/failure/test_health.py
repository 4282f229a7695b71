"""Open, limited, probing, tripped: every state is reached and left."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tidegate.policy.failure.health import (
    FIRST_PAUSE_US,
    LONGEST_PAUSE_US,
    PROBE_GUESS_US,
    TRIP_AFTER,
    Health,
    pause_us,
)

SECOND = 1_000_000


def test_a_refusal_closes_and_a_probe_opens() -> None:
    """Closed until the named time, then one probe; everybody else waits for it; its success opens."""
    health = Health()
    assert health.wait(0) == 0
    assert not health.enter()
    health.fail(0, 15 * SECOND)
    assert health.limited
    assert health.wait(5 * SECOND) == 10 * SECOND
    assert not health.blocked()
    assert health.wait(15 * SECOND) == 0
    epoch = health.epoch
    assert health.enter()
    assert health.blocked()
    assert health.wait(15 * SECOND) == PROBE_GUESS_US
    assert health.succeed(epoch)
    assert not health.limited
    assert health.wait(15 * SECOND) == 0
    assert not health.enter()


def test_a_probe_that_fails_closes_again() -> None:
    """And counts: so many on end trip the lane."""
    health = Health()
    for failed in range(1, TRIP_AFTER + 1):
        assert not health.tripped
        health.fail(health.epoch, failed * SECOND)
        assert health.failures == failed
        assert health.enter()
    assert health.tripped
    health.succeed(health.epoch)
    assert not health.tripped
    assert health.failures == 0


def test_of_many_in_flight_only_the_first_refusal_counts() -> None:
    """Calls sent before the lane was limited are of an older epoch: they neither count nor open."""
    health = Health()
    epoch = health.epoch
    for _ in range(100):
        health.fail(epoch, SECOND)
    assert health.failures == 1
    assert not health.succeed(epoch)
    assert health.limited


def test_a_later_time_named_by_an_old_call_is_respected() -> None:
    """The provider's longest not-before wins, whoever heard it; a shorter one takes nothing back."""
    health = Health()
    health.fail(0, 10 * SECOND)
    health.fail(0, 30 * SECOND)
    health.fail(0, 5 * SECOND)
    assert health.wait(0) == 30 * SECOND


def test_a_passing_failure_does_not_close_until_it_trips() -> None:
    """A reset connection is one call's bad luck; three on end are the lane's."""
    health = Health()
    for _ in range(TRIP_AFTER - 1):
        health.fail(health.epoch, SECOND, limit=False)
        assert not health.limited
    health.fail(health.epoch, SECOND, limit=False)
    assert health.limited
    assert health.tripped
    assert health.wait(0) == SECOND


def test_success_forgets_passing_failures() -> None:
    """Only failures on end count."""
    health = Health()
    health.fail(0, SECOND, limit=False)
    assert not health.succeed(0)
    assert health.failures == 0


def test_an_abandoned_probe_lets_the_next_one_try() -> None:
    """The client left before the verdict; only the probe itself can be abandoned."""
    health = Health()
    health.fail(0, 0)
    health.enter()
    health.abandon(probe=False)
    assert health.blocked()
    health.abandon(probe=True)
    assert not health.blocked()
    assert health.wait(0) == 0


@pytest.mark.parametrize(("failures", "pause"), [(1, 1), (2, 2), (3, 4), (7, 64), (8, 120), (10**6, 120)])
def test_the_pause_doubles_up_to_a_minute(failures: int, pause: int) -> None:
    """In halves of a second: 0.5, 1, 2, … 60 s."""
    assert pause_us(failures) == pause * FIRST_PAUSE_US
    assert pause_us(failures) <= LONGEST_PAUSE_US


class Lane(RuleBasedStateMachine):
    """Calls that come, fail, succeed and vanish in any order: at most one probe is ever out."""

    def __init__(self) -> None:
        super().__init__()
        self.health = Health()
        self.now = 0
        self.out: list[tuple[int, bool]] = []
        self.promised = 0  # the latest time that the provider named while the lane was limited

    @rule(pause=st.integers(0, 5 * SECOND))
    def time_passes(self, pause: int) -> None:
        self.now += pause

    @rule()
    def a_call_comes(self) -> None:
        if self.health.wait(self.now) == 0:
            if self.health.limited:
                assert self.now >= self.promised
            self.out.append((self.health.epoch, self.health.enter()))

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 99), pause=st.integers(0, 5 * SECOND), limit=st.booleans())
    def one_fails(self, which: int, pause: int, limit: bool) -> None:
        epoch, _ = self.out.pop(which % len(self.out))
        self.health.fail(epoch, self.now + pause, limit=limit)
        if self.health.limited:
            self.promised = max(self.promised, self.now + pause)

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 99))
    def one_succeeds(self, which: int) -> None:
        epoch, probe = self.out.pop(which % len(self.out))
        opened = self.health.succeed(epoch)
        assert opened <= probe, "only a probe opens"
        if opened:
            self.promised = 0

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 99))
    def one_vanishes(self, which: int) -> None:
        _, probe = self.out.pop(which % len(self.out))
        self.health.abandon(probe=probe)

    @invariant()
    def at_most_one_probe(self) -> None:
        probes = sum(probe for _, probe in self.out)
        assert probes <= 1
        assert self.health.probing == (probes == 1)

    @invariant()
    def a_closed_lane_can_open_again(self) -> None:
        if self.health.limited and not self.health.probing:
            assert self.health.wait(max(self.now, self.health.not_before)) == 0


Lane.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestLane = Lane.TestCase
