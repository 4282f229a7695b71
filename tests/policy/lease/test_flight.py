"""The one exchange that is under way."""

from tidegate.model.cluster import LOG, Demand, Dim, ExchangeRequest, RecoveryState
from tidegate.policy.lease.faces import Footing
from tidegate.policy.lease.flight import PendingExchange

FOOTING = Footing("a/0", 7)
FOOTING.state, FOOTING.open_ppm = 3, 900_000


def asked() -> ExchangeRequest:
    dim = Dim(LOG, 100, corrections=[(10, -2)], target=40, shown=5, shown_age_us=20)
    restore = [RecoveryState(slots=[(100, 1)], own=[(50, 2)], given=[(30, 3)])]
    return ExchangeRequest(
        "a/0", 7, 4, 2, 1_000, 300_000, 1_000_000, 1, [dim], [Demand(0, 1, 1_000, [1])], restore=restore
    )


def test_a_repetition_is_the_same_with_ages_brought_up_to_date() -> None:
    """Its number stays; what it says of the membership is what is known now."""
    flight = PendingExchange()
    flight.start(asked(), 1_000)
    again = flight.repeat(FOOTING, 2_000, 1_500)
    assert again is not None
    assert (again.seq, again.epoch, again.not_after, again.state, again.open_ppm) == (4, 2, 2_000, 3, 900_000)
    assert again.dims[0].corrections == [(510, -2)]
    assert again.dims[0].shown_age_us == 520
    assert again.restore is not None
    assert (again.restore[0].slots, again.restore[0].own, again.restore[0].given) == (
        [(600, 1)],
        [(550, 2)],
        [(530, 3)],
    )


def test_a_lease_counts_from_when_it_was_first_sent() -> None:
    """The server may have heard the first one; only what did nothing is sent for the first time again."""
    flight = PendingExchange()
    flight.start(asked(), 1_000)
    flight.repeat(FOOTING, 0, 1_500)
    assert flight.land()[1] == 1_000
    flight.start(asked(), 1_000)
    flight.hold(asked())
    flight.repeat(FOOTING, 0, 1_500)
    assert flight.land()[1] == 1_500


def test_what_is_repeated_only_to_learn_asks_for_nothing() -> None:
    """What waited then may have gone since."""
    flight = PendingExchange()
    flight.start(asked(), 1_000)
    flight.strip()
    assert flight.ask is not None
    assert flight.ask.demands == []
    assert flight.ask.dims[0].target == 0
    assert not flight.away


def test_what_has_landed_is_under_way_no_more() -> None:
    """There is nothing to repeat."""
    flight = PendingExchange()
    flight.start(asked(), 1_000)
    assert flight.land()[0] is not None
    assert flight.repeat(FOOTING, 0, 2_000) is None
