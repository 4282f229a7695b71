"""What one message holds."""

from tidegate.model.alert_state import FIRING as ON
from tidegate.model.alert_state import Alert
from tidegate.model.alerts import CRITICAL, FIRING, RESOLVED, WARNING
from tidegate.policy.alerts.message import MOST_ITEMS, message


def alerts(count: int, severity: str = WARNING) -> list[Alert]:
    labels = [(("n", f"{severity}{number:03}"),) for number in range(count)]
    return [Alert(f"{severity}{n}", "r", "r", labels[n], ON, severity, 1, 1, n, n) for n in range(count)]


def test_the_worst_come_first_and_the_rest_is_counted() -> None:
    """However many there are."""
    made = message("g", FIRING, [*alerts(30), *alerts(3, CRITICAL)], 5)
    assert [item.severity for item in made.items] == [CRITICAL] * 3 + [WARNING] * (MOST_ITEMS - 3)
    assert (made.severity, made.more, made.at_us) == (CRITICAL, 33 - MOST_ITEMS, 5)


def test_its_name_is_that_of_what_it_says() -> None:
    """The same content is the same message; another moment, state, group or alert another."""
    found = alerts(2)
    names = {
        message("g", FIRING, found, 5).id,
        message("g", FIRING, found[::-1], 5).id,
        message("g", FIRING, found, 6).id,
        message("g", RESOLVED, found, 5).id,
        message("h", FIRING, found, 5).id,
        message("g", FIRING, found[:1], 5).id,
    }
    assert len(names) == 5
    assert all(item.resolved for item in message("g", RESOLVED, found, 5).items)
