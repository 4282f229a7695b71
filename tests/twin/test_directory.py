"""Keys, organisations, and limits that change."""

import pytest

from tidegate.twin.config import convert
from tidegate.twin.directory import Directory
from tidegate.twin.settings import Limits

TREE = {
    "limits": {"rpm": 10, "tpm": 100},
    "model_limits": {"gpt-4o": {"rpm": 20, "tpm": 200}},
    "organisations": [{"name": "acme", "keys": ["a", "b"], "limits": {"gpt-4o": {"rpm": 30, "tpm": 300}}}],
}


@pytest.fixture
def directory():
    return Directory(convert(TREE, "t"), 0)


def seat(directory, key, model="gpt-4o"):
    return directory.seat(key, directory.organisation(key), model, 0)


def test_keys_of_one_organisation_share_a_meter(directory):
    """Ten keys of one organisation are one bucket; a stranger has its own."""
    assert seat(directory, "a").meter is seat(directory, "b").meter
    assert seat(directory, "a").meter is not seat(directory, "x").meter
    assert seat(directory, "x").meter is not seat(directory, "y").meter
    assert seat(directory, "a") is seat(directory, "a")


def test_the_most_particular_limit_counts(directory):
    """Organisation before model before default."""
    assert seat(directory, "a").meter.limits == Limits(30, 300)
    assert seat(directory, "x").meter.limits == Limits(20, 200)
    assert seat(directory, "x", "gpt-4o-mini").meter.limits == Limits(10, 100)


def test_unknown_keys_may_be_refused():
    """Then only the organisations' keys have an owner."""
    directory = Directory(convert(TREE | {"unknown_keys": "refuse"}, "t"), 0)
    assert directory.organisation("a").name == "acme"
    assert directory.organisation("x") is None


def test_a_change_for_everybody_reaches_everybody(directory):
    """Meters in use, those yet to come, and organisations with limits of their own."""
    old = seat(directory, "x").meter
    directory.relimit(None, "gpt-4o", (None, 50, None), 0)
    assert old.limits == Limits(20, 50)
    assert seat(directory, "a").meter.limits == Limits(30, 50)
    assert seat(directory, "new").meter.limits == Limits(20, 50)
    assert directory.limits(None, "gpt-4o") == Limits(20, 50)
    assert seat(directory, "x", "gpt-4o-mini").meter.limits == Limits(10, 100)


def test_a_change_for_one_key_is_its_organisations(directory):
    """Its other keys share it, nobody else does; a later change for all overrules it where it speaks."""
    directory.relimit("a", "gpt-4o", (1, 2, None), 0)
    assert seat(directory, "b").meter.limits == Limits(1, 2)
    assert seat(directory, "x").meter.limits == Limits(20, 200)
    directory.relimit(None, "gpt-4o", (5, None, None), 0)
    assert seat(directory, "b").meter.limits == Limits(5, 2)


def test_a_reset_empties_the_books_and_fills_the_windows(directory):
    """Limits stay as they were set."""
    directory.relimit(None, "gpt-4o", (None, 50, None), 0)
    one = seat(directory, "x")
    one.meter.admit("x", 50, 0)
    one.entry.charged(50, 0)
    directory.reset(5)
    assert directory.ledger.totals()["charged_tokens"] == 0
    assert seat(directory, "x").meter.admit("x", 50, 5) is None
