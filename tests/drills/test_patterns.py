"""Patterns end."""

from tidegate.drills.patterns import found


def test_patterns() -> None:
    """As Python reads them; capital letters as it is asked."""
    assert found("[0-9]+ days", "in 7 days") is True
    assert found("^7", "in 7 days") is False
    assert found("REFUND", "a refund") is False
    assert found("REFUND", "a refund", fold=True) is True
    assert found("退款.*天", "退款需要 7 天") is True


def test_one_that_would_take_for_ever_is_given_up() -> None:
    """By the system, after its CPU time."""
    assert found("(a+)+$", "a" * 64 + "b", seconds=0.2) is None


def test_one_that_cannot_be_read_is_not_met() -> None:
    """The configuration refuses it before; here it is not judged."""
    assert found("(", "a") is None
