"""The gates of an embedder."""

import pytest

from tidegate.policy.caching.calibration import NEVER
from tidegate.semantic.gates import Calibrated


@pytest.mark.parametrize("text", ["When does it open?", "几点开门？"])
def test_the_embedder_inside_is_calibrated(text: str) -> None:
    """In both languages; the less error is promised, the more alike."""
    gates = Calibrated("offline")
    assert 0.8 < gates.threshold(text, 50) <= gates.threshold(text, 10) < 1.0
    assert gates.threshold(text, 10, "number") == NEVER
    assert gates.threshold(text, 0) == NEVER


def test_others_are_not() -> None:
    """Only what is learnt serves."""
    assert Calibrated("openai/text-embedding-3-small").threshold("When?", 100) == NEVER


@pytest.mark.parametrize(("text", "why"), [("When does the shop open?", ""), ("x" * 2_000, "long"), ("Где?", "script")])
def test_what_cannot_be_read_is_known_beforehand(text: str, why: str) -> None:
    """Nobody embeds it."""
    assert Calibrated("offline").unread(text) == why


def test_what_must_agree_is_one_for_all() -> None:
    """Whatever embeds."""
    assert Calibrated("offline").differs("Is the light on?", "Is the light not on?") == "negation"
    assert Calibrated("x").differs("Is the light on?", "Is the light on?") == ""
