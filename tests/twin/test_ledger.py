"""The books: sums on every level, tokens by second, bounded memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.twin.ledger import KEPT_SECONDS, Ledger, Seconds, book
from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import SECOND


def test_every_level_adds_up():
    """Totals are the sums of the models, models those of the keys."""
    ledger = Ledger(0)
    for key, model, tokens in (("a", "m", 10), ("b", "m", 20), ("a", "n", 5)):
        entry = ledger.entry(key, model)
        entry.called()
        entry.charged(tokens, SECOND)
        entry.served()
        entry.billed(tokens + 1)
    ledger.entry("a", "m").called()
    ledger.entry("a", "m").throttled(avoidable=True)
    assert ledger.totals() == {
        "calls": 4, "served": 3, "throttled": 1, "avoidable": 1, "charged_tokens": 35, "billed_tokens": 38,
    }  # fmt: skip
    assert ledger.of_model("m").charged == 30
    assert ledger.of_key("a", "m").throttled == 1
    assert ledger.keys() == {"a": ("m", "n"), "b": ("m",)}


def test_stray_calls_are_in_the_totals_only():
    """A call without a known key and model belongs to no model."""
    ledger = Ledger(0)
    ledger.stray.called()
    assert ledger.totals()["calls"] == 1
    assert ledger.models() == ()


def test_an_entry_of_the_report_has_the_contracts_fields():
    """Sums, limits in force and tokens by second."""
    ledger = Ledger(0)
    ledger.entry("a", "m").charged(7, 2 * SECOND)
    row = book(ledger.of_model("m"), Limits(10, 20), Rules(), ledger.length(3 * SECOND))
    assert list(row) == [
        "calls", "served", "throttled", "avoidable", "charged_tokens", "billed_tokens", "limit_rpm", "limit_tpm",
        "per_second",
    ]  # fmt: skip
    assert row["per_second"] == [0, 0, 7, 0]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 100)), max_size=50))
def test_seconds_hold_every_token(rows):
    """The dense row sums to what was booked, whenever it was booked."""
    seconds = Seconds()
    for second, tokens in sorted(rows):
        seconds.add(second, tokens)
    dense = seconds.dense(51)
    assert sum(dense) == sum(tokens for _, tokens in rows)
    for second in range(51):
        assert dense[second] == sum(tokens for at, tokens in rows if at == second)


def test_only_a_day_of_seconds_is_kept():
    """After 24 h no second is added, and the report stays as long as the day."""
    ledger = Ledger(0)
    ledger.entry("a", "m").charged(7, (KEPT_SECONDS + 5) * SECOND)
    assert ledger.of_model("m").seconds.dense(KEPT_SECONDS) == [0] * KEPT_SECONDS
    assert ledger.length((KEPT_SECONDS + 5) * SECOND) == KEPT_SECONDS
    assert ledger.totals()["charged_tokens"] == 7
