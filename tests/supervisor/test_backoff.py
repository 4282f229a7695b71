"""How soon what died is started again."""

from tidegate.supervisor.backoff import CALM_SECONDS, Backoff


def test_the_first_restart_is_at_once_and_a_crash_loop_slows_down() -> None:
    """Delays double up to five seconds and stay there."""
    backoff = Backoff()
    delays = [backoff.died(lived=0.5) for _ in range(40)]
    assert delays[:7] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert delays[7:] == [5.0] * 33


def test_a_calm_life_is_forgiven() -> None:
    """Who lived long enough did not die of its start."""
    backoff = Backoff()
    for _ in range(10):
        backoff.died(lived=0.5)
    assert backoff.died(lived=CALM_SECONDS) == 0.0
    assert backoff.died(lived=0.5) == 0.1
