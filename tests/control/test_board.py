"""The board keeps the newest of each worker."""

from tidegate.control.board import Board
from tidegate.observe.meters import CallMeter, LaneGauge, LaneMeter, Report


def meter(plan: str, answered: int) -> CallMeter:
    return CallMeter(plan, "m", "p", "s", by_class=[0, 0, answered, 0, 0, 0])


def test_parts_of_a_round_add_up_and_the_next_round_replaces() -> None:
    """Series come in parts; cumulative figures replace, they are not added."""
    board = Board()
    board.take(Report(0, 1, 50, last=False, calls=[meter("a", 1)]))
    board.take(Report(0, 1, 50, last=True, calls=[meter("b", 2)], lanes=[LaneMeter("p/s/m", 3)]))
    board.take(Report(0, 1, 50, last=False, calls=[meter("a", 5)]))
    (view,) = board.views()
    assert {labels[0]: found.by_class[2] for labels, found in view.calls.items()} == {"a": 5, "b": 2}
    assert view.lanes[0].answered == 3


def test_a_new_incarnation_starts_at_its_own_figures() -> None:
    """Nothing of the dead worker is shown as the new one's: Prometheus sees a counter reset."""
    board = Board()
    board.take(Report(0, 1, 50, last=True, calls=[meter("a", 9)]))
    board.take(Report(0, 2, 51, last=True, calls=[meter("b", 1)]))
    (view,) = board.views()
    assert (view.pid, [labels[0] for labels in view.calls]) == (51, ["b"])


def test_a_worker_that_is_gone_keeps_its_counters_and_loses_its_gauges() -> None:
    """What was counted stays true; how things stand is not known any more."""
    board = Board()
    gauge = LaneGauge("p/s/m", 2, 3, 4, 5)
    board.take(Report(0, 1, 50, last=True, calls=[meter("a", 9)], gauges=[gauge], token_usage_rate={"m": 2.0}))
    board.gone(0)
    board.gone(7)
    (view,) = board.views()
    assert (view.pid, view.gauges, view.token_usage_rate) == (0, [], {})
    assert len(view.calls) == 1


def test_reports_are_kept_for_the_windows_as_they_came() -> None:
    """So many at most: when nobody takes them, all of them go, and that is told."""
    board = Board()
    for number in range(1_000):
        board.take(Report(0, 1, number, last=True))
    assert ([report.pid for report in board.recent], board.dropped) == (list(range(1_000)), False)
    board.take(Report(0, 1, 1_000, last=True))
    assert ([report.pid for report in board.recent], board.dropped) == ([1_000], True)


def test_views_stay_as_they_were_taken() -> None:
    """A page is rendered in a thread while reports arrive."""
    board = Board()
    board.take(Report(0, 1, 50, last=True, calls=[meter("a", 1)]))
    views = board.views()
    board.take(Report(0, 1, 50, last=True, calls=[meter("b", 1)]))
    assert len(views[0].calls) == 1
