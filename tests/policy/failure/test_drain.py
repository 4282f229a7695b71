"""Scopes that an operator has taken out of service."""

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.drain import DRAINED_US, Drain
from tidegate.policy.failure.health import Health

SECOND = 1_000_000


def test_a_drained_scope_is_closed_to_everybody() -> None:
    """All its lanes and no other's; no time is known; who can goes elsewhere; and each listener hears of it once."""
    drain, told = Drain(), list[str]()
    lanes = [Breaker(drain=drain), Breaker(drain=drain)]
    other = Breaker()

    def listener() -> None:
        told.append("pool")

    for lane in (*lanes, other):
        lane.listen(listener)
    assert drain.put(on=True)
    assert not drain.put(on=True)
    for lane in lanes:
        assert (lane.drained, lane.limited, lane.tripped, lane.blocked()) == (True, True, True, True)
        assert (lane.wait(0), lane.pause(0), lane.refused) == (DRAINED_US, 0, False)
    assert (other.drained, other.wait(0)) == (False, 0)
    assert drain.put(on=False)
    assert told == ["pool", "pool"]
    assert all((lane.limited, lane.tripped, lane.wait(0)) == (False, False, 0) for lane in lanes)


def test_no_answer_restores_it() -> None:
    """Calls in flight finish, and speak well of the provider, not of the operator's mind."""
    drain, scope = Drain(), Health()
    lane = Breaker(scope, drain=drain)
    epochs = lane.epochs
    lane.fail(Reason.AUTH, lane.epochs, 0, 0, 5 * SECOND)
    drain.put(on=True)
    assert lane.pause(0) > 0
    assert not lane.succeed(epochs)
    scope.hear_open()
    assert (lane.refused, lane.limited, lane.wait(90 * SECOND)) == (False, True, DRAINED_US)


def test_it_is_drained_beside_whatever_the_provider_says() -> None:
    """Restored, it is as closed as its provider has it."""
    drain = Drain()
    lane = Breaker(drain=drain)
    drain.put(on=True)
    lane.fail(Reason.RATE, lane.epochs, 0, 0, 5 * SECOND)
    drain.put(on=False)
    assert (lane.limited, lane.wait(SECOND)) == (True, 4 * SECOND)


def test_a_lane_that_is_gone_hears_nothing() -> None:
    """`close` lets go of the drain, too."""
    drain = Drain()
    lane = Breaker(drain=drain)
    lane.close()
    drain.put(on=True)
    assert not lane.drained
