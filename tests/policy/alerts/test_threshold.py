"""On which side a value is."""

from tests.policy.alerts.conftest import rule
from tidegate.model.alerts import CRITICAL, WARNING
from tidegate.policy.alerts.threshold import calm, level, mildest, threshold


def test_a_value_at_the_threshold_is_beyond_it() -> None:
    """Above, and below for rules that look down."""
    assert [level(rule(), value) for value in (9.9, 10, 19.9, 20)] == ["", WARNING, WARNING, CRITICAL]
    down = rule(warning=10, critical=5, below=True)
    assert [level(down, value) for value in (10.1, 10, 5.1, 5)] == ["", WARNING, WARNING, CRITICAL]


def test_it_ends_only_well_on_the_other_side() -> None:
    """Nine tenths of the threshold; for rules that look down as much above it."""
    assert [calm(rule(), value, WARNING) for value in (10, 9, 8.99)] == [False, False, True]
    down = rule(warning=9, critical=None, below=True)
    assert [calm(down, value, WARNING) for value in (9, 10, 10.01)] == [False, False, True]


def test_a_rule_may_have_one_severity_only() -> None:
    """Then it stands for both."""
    only = rule(warning=None)
    assert (mildest(only), threshold(only, WARNING), level(only, 15)) == (CRITICAL, 20, "")
    other = rule(critical=None)
    assert (mildest(other), threshold(other, CRITICAL), level(other, 100)) == (WARNING, 10, WARNING)
