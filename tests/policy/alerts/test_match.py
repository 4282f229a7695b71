"""Labels and silences."""

from tidegate.model.alerts import AlertSilence
from tidegate.policy.alerts.match import in_force, matches, silenced

LABELS = (("model", "gpt-4o"), ("provider", "openai"))


def test_all_labels_have_to_agree() -> None:
    """`*` stands for any rest, `rule` for the rule's name, and what is absent is empty."""
    assert matches({}, LABELS)
    assert matches({"model": "gpt-*", "provider": "openai"}, LABELS)
    assert not matches({"model": "gpt-*", "provider": "other"}, LABELS)
    assert matches({"rule": "lim*"}, LABELS, "limited_seconds")
    assert not matches({"rule": "x"}, LABELS, "limited_seconds")
    assert matches({"scope": ""}, LABELS)
    assert not matches({"scope": "main"}, LABELS)
    assert matches({"scope": "*"}, LABELS)


def test_a_silence_holds_from_its_first_moment_to_before_its_last() -> None:
    """And means what its labels mean."""
    silence = AlertSilence({"model": "gpt-4o"}, 10, 20)
    assert [bool(in_force([silence], now)) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert silenced([silence], "r", LABELS)
    assert not silenced([silence], "r", ())
