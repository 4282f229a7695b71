"""What one worker was refused the others do not ask for, and what is good again all of them know."""

from collections import deque

import pytest

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.lease.gossip import GRACE_US, OPEN, Gossip

SECOND = 1_000_000
NOW = 50 * SECOND


class Lane:
    """Of one scope, with a model."""

    def __init__(self, model: str, scope: Health) -> None:
        self.key = f"service/keys/{model}"
        self.breaker = Breaker(scope=scope)


class Worker:
    """Two lanes of one scope. What it says comes to the others when they are told."""

    def __init__(self) -> None:
        scope = Health()
        self.now = NOW
        self.one, self.two = Lane("one", scope), Lane("two", scope)
        self.said: deque[tuple[str, int]] = deque()
        self.gossip = Gossip(self.tell, self.moment, self.luck)
        self.gossip.follow([self.one, self.two])

    def tell(self, name: str, wait_us: int) -> None:
        self.said.append((name, wait_us))

    def moment(self) -> int:
        return self.now

    def luck(self) -> float:
        return 0.5

    def refused(self, lane: Lane, reason: Reason, wait_us: int | None) -> None:
        lane.breaker.fail(reason, lane.breaker.epochs, lane.breaker.enter(), self.now, wait_us)


@pytest.fixture
def workers() -> tuple[Worker, Worker]:
    return Worker(), Worker()


def passed_on(teller: Worker, hearer: Worker) -> None:
    while teller.said:
        hearer.gossip.hear(*teller.said.popleft())


def test_a_refusal_of_one_closes_the_lane_of_the_other_a_little_longer(workers: tuple[Worker, Worker]) -> None:
    """So that who was refused probes first. Nothing is told back."""
    first, second = workers
    first.refused(first.one, Reason.RATE, 3 * SECOND)
    passed_on(first, second)
    wait = second.one.breaker.wait(NOW)
    assert 3 * SECOND + GRACE_US // 4 <= wait <= 3 * SECOND + GRACE_US
    assert second.two.breaker.wait(NOW) == 0
    assert (second.one.breaker.failures, list(second.said)) == (0, [])


def test_a_dead_credential_closes_the_whole_scope_everywhere(workers: tuple[Worker, Worker]) -> None:
    """Whatever the model."""
    first, second = workers
    first.refused(first.one, Reason.AUTH, None)
    passed_on(first, second)
    assert second.two.breaker.limited


def test_the_probe_of_one_opens_all(workers: tuple[Worker, Worker]) -> None:
    """Before their own moment has come."""
    first, second = workers
    first.refused(first.one, Reason.RATE, SECOND)
    passed_on(first, second)
    first.now += SECOND
    probe = first.one.breaker.enter()
    assert probe
    first.one.breaker.succeed(first.one.breaker.epochs)
    assert first.said == deque([("l/service/keys/one", OPEN)])
    passed_on(first, second)
    assert not second.one.breaker.limited


def test_a_probe_that_fails_keeps_all_closed(workers: tuple[Worker, Worker]) -> None:
    """Until the new moment."""
    first, second = workers
    first.refused(first.one, Reason.RATE, SECOND)
    passed_on(first, second)
    first.now = second.now = NOW + SECOND
    first.refused(first.one, Reason.RATE, 30 * SECOND)
    passed_on(first, second)
    assert second.one.breaker.wait(second.now) >= 30 * SECOND


def test_a_probe_of_one_s_own_is_not_decided_by_hearsay(workers: tuple[Worker, Worker]) -> None:
    """It is under way, and will tell."""
    first, second = workers
    for worker in workers:
        worker.refused(worker.one, Reason.RATE, SECOND)
    second.now += SECOND
    second.one.breaker.enter()
    second.gossip.hear("l/service/keys/one", OPEN)
    assert second.one.breaker.blocked()
    assert first.one.breaker.limited


def test_an_answer_to_what_was_sent_before_the_news_opens_nothing(workers: tuple[Worker, Worker]) -> None:
    """It is older than the refusal."""
    first, second = workers
    before = second.one.breaker.epochs
    first.refused(first.one, Reason.RATE, SECOND)
    passed_on(first, second)
    assert not second.one.breaker.succeed(before)
    assert second.one.breaker.limited


def test_of_what_is_unknown_nothing_is_kept(workers: tuple[Worker, Worker]) -> None:
    """Another configuration's lane; and a lane that is gone is not spoken of any more."""
    first, _ = workers
    first.gossip.hear("l/other/keys/one", SECOND)
    first.gossip.follow([first.two])
    first.refused(first.one, Reason.RATE, SECOND)
    assert list(first.said) == []
    first.refused(first.two, Reason.RATE, SECOND)
    assert [name for name, _ in first.said] == ["l/service/keys/two"]
