"""One series: for, hysteresis, severities."""

from tests.policy.alerts.conftest import SECOND, START, rule
from tidegate.model.alert_state import CLEARING, FIRING, MILDER, PENDING, RESOLVED, Alert
from tidegate.model.alerts import CRITICAL, WARNING, WORSE, AlertRule
from tidegate.policy.alerts.series import advance, end


def played(found: AlertRule, *values: float) -> tuple[Alert, list[str]]:
    """A value every second."""
    alert = Alert("i", "r", "r", (), PENDING, WARNING, 0, 0, START, START)
    return alert, [advance(alert, found, value, START + at * SECOND) for at, value in enumerate(values)]


def test_it_fires_after_a_time_beyond_its_threshold_without_a_pause() -> None:
    """A pause begins it anew, and what only was pending leaves no trace."""
    slow = rule(for_us=2 * SECOND)
    assert played(slow, 10, 10, 10)[1] == ["", "", FIRING]
    alert, became = played(slow, 10, 10, 1)
    assert (became, alert.stage, alert.fired_us) == (["", "", ""], RESOLVED, 0)
    assert played(slow, 10, 10, 1, 10, 10, 10)[1] == ["", "", "", "", "", FIRING]


def test_each_severity_takes_its_time() -> None:
    """Long a warning and critical for a moment is a warning."""
    alert, became = played(rule(for_us=2 * SECOND), 10, 10, 20, 20, 20)
    assert became == ["", "", FIRING, "", WORSE]
    assert (alert.severity, alert.threshold) == (CRITICAL, 20)


def test_it_ends_only_below_where_it_clears_and_for_long_enough() -> None:
    """At the threshold it goes on, and a value that comes back begins the time anew."""
    assert played(rule(), 10, 9.5, 9.5, 9.5)[1] == [FIRING, "", "", ""]
    alert, became = played(rule(), 10, 8, 8, 9.5, 8)
    assert (became, alert.stage) == ([FIRING, "", "", "", ""], CLEARING)
    alert, became = played(rule(), 10, 8, 8, 8)
    assert (became, alert.stage, alert.resolved_us) == ([FIRING, "", "", RESOLVED], RESOLVED, START + 3 * SECOND)


def test_what_is_critical_becomes_a_warning_as_slowly() -> None:
    """And critical again, which is worse once more."""
    alert, became = played(rule(), 20, 12, 12, 12, 12)
    assert (became, alert.severity) == ([FIRING, "", "", MILDER, ""], WARNING)
    assert advance(alert, rule(), 25, START + 9 * SECOND) == WORSE


def test_a_rule_with_one_severity() -> None:
    """There is nothing milder, and nothing worse."""
    assert played(rule(warning=None), 15, 20, 19, 17, 17, 17)[1] == ["", FIRING, "", "", "", RESOLVED]
    assert played(rule(critical=None), 99, 99)[1] == [FIRING, ""]


def test_what_nobody_measures_any_more_ends() -> None:
    """What had fired is over, what had not never was."""
    alert, _ = played(rule(), 10)
    assert end(alert, START + SECOND) == RESOLVED
    assert alert.resolved_us == START + SECOND
    alert, _ = played(rule(for_us=SECOND), 10)
    assert end(alert, START) == ""
