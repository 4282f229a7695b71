"""Limits of namespaces on the metrics page."""

from tidegate.control.board import Board
from tidegate.control.metrics.spend import spend_metrics
from tidegate.observe.meters import Report, SpendGauge


def samples(board: Board) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("tidegate_tenant_"), *sample.labels.values()): sample.value
        for family in spend_metrics(board.views())
        for sample in family.samples
    }


def test_namespaces_and_their_models_and_nobody_else() -> None:
    """Money in the house currency; users and keys are for the admin API alone."""
    board = Board()
    spends = [
        SpendGauge("acme", "", "", "", "nano_day", 1_500_000_000, 250_000_000, 5_000_000_000),
        SpendGauge("acme", "", "", "gpt", "tokens_day", 10, 20, 30),
        SpendGauge("acme", "ann", "", "", "rpm", 1, 0, 2),
        SpendGauge("acme", "", "ci", "", "rpm", 1, 0, 2),
    ]
    board.take(Report(0, 1, 2, last=True, spends=spends))
    assert samples(board) == {
        ("used", "0", "acme", "", "money_day"): 1.5,
        ("reserved", "0", "acme", "", "money_day"): 0.25,
        ("limit", "0", "acme", "", "money_day"): 5,
        ("used", "0", "acme", "gpt", "tokens_day"): 10,
        ("reserved", "0", "acme", "gpt", "tokens_day"): 20,
        ("limit", "0", "acme", "gpt", "tokens_day"): 30,
    }
    board.take(Report(0, 1, 2, last=True))
    assert samples(board) == {}
