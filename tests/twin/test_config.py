"""From YAML and flags to settings; every error names its field."""

import pytest

from tidegate.twin.config import ConfigError, convert, limited, load, overridden, permille
from tidegate.twin.settings import Limits, Settings, Spread


def test_nothing_is_the_default(tmp_path):
    """An empty file is a twin of every provider's models with 3,000 RPM and 150,000 TPM."""
    file = tmp_path / "twin.yaml"
    file.write_text("")
    assert load(file) == Settings()
    assert Settings().limits == Limits(3_000, 150_000)
    names = {model.name for model in Settings().models}
    assert {"gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "claude-3-haiku", "claude-sonnet"} <= names


def test_a_whole_file(tmp_path):
    """Every part can be set."""
    file = tmp_path / "twin.yaml"
    file.write_text("""
        limits: {rpm: 10, tpm: 20, tpd: 30}
        model_limits: {gpt-4o: {rpm: 1}}
        organisations:
          - {name: acme, keys: [sk-a, sk-b], limits: {gpt-4o: {tpm: 5}}}
        unknown_keys: refuse
        rules: {window: sliding, charge: sum, settles: true, ghost: 30%}
        timing: {ttft_ms: 5, tpot_ms: {median: 2, sigma: 1}}
        seed: 9
    """)
    settings = load(file)
    assert settings.limits == Limits(10, 20, tpd=30)
    assert settings.model_limits["gpt-4o"] == Limits(1, 150_000)
    assert settings.organisations[0].keys == ("sk-a", "sk-b")
    assert (settings.rules.window, settings.rules.charge, settings.rules.ghost_permille) == ("sliding", "sum", 300)
    assert (settings.timing.ttft_ms, settings.timing.tpot_ms) == (Spread(5.0), Spread(2.0, 1.0))
    assert (settings.unknown_keys, settings.seed) == ("refuse", 9)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], "the file: Expected object, got array"),
        ({"limit": {}}, "limit"),
        ({"limits": {"rpm": 0}}, "limits.rpm"),
        ({"limits": {"rpm": 10**12 + 1}}, "limits.rpm"),
        ({"limits": {"rpm": "10"}}, "limits.rpm: Expected int, got str"),
        ({"rules": {"window": "leaky"}}, "rules.window"),
        ({"rules": {"ghost": "130%"}}, "ghost: '130%' is no percentage"),
        ({"timing": {"ttft_ms": -1}}, "timing.ttft_ms.median"),
        ({"models": []}, "models"),
        ({"model_limits": {"gpt-9": {}}}, "model_limits.gpt-9: no such model"),
        ({"organisations": [{"name": "a", "limits": {"x": {}}}]}, r"organisations\[0\].limits.x: no such model"),
        (
            {"organisations": [{"name": "a", "keys": ["sk-secret"]}, {"name": "b", "keys": ["sk-secret"]}]},
            r"organisations\[1\].keys: a key also belongs to a",
        ),
    ],
)
def test_a_wrong_field_is_named(tree, words):
    """With what was expected; a key is not repeated."""
    with pytest.raises(ConfigError, match=words) as caught:
        convert(tree, "twin.yaml")
    assert "sk-secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_or_parsed(tmp_path):
    """Both say which file."""
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml: is no YAML"):
        load(broken)


def test_flags_set_every_model():
    """Limits on the command line beat those of the file, for all."""
    tree = {"model_limits": {"gpt-4o": {"rpm": 1}}, "organisations": [{"name": "a", "limits": {"gpt-4o": {"tpm": 5}}}]}
    settings = overridden(convert(tree, "t"), rpm=7, tpm=8, window="fixed", ttft_ms=1.0, tpot_ms=0.0, seed=3, ghost=100)
    assert settings.limits == settings.model_limits["gpt-4o"] == settings.organisations[0].limits["gpt-4o"]
    assert settings.limits == Limits(7, 8)
    assert (settings.rules.window, settings.rules.ghost_permille, settings.seed) == ("fixed", 100, 3)
    assert (settings.timing.ttft_ms.median, settings.timing.tpot_ms.median) == (1.0, 0.0)


@pytest.mark.parametrize("flags", [{"rpm": 0}, {"tpm": 10**12 + 1}, {"ttft_ms": -1.0}, {"tpot_ms": float("nan")}])
def test_a_wrong_flag_is_refused(flags):
    """With its name."""
    with pytest.raises(ConfigError, match="--" + next(iter(flags)).replace("_", "-")):
        overridden(Settings(), **flags)


def test_a_limit_of_output():
    """Is a fifth of TPM unless it is stated; out of bounds it is refused by its name."""
    assert limited(Settings(), otpm=9).limits.output == 9
    assert limited(Settings(), tpm=100).limits.output == 20
    with pytest.raises(ConfigError, match="--otpm"):
        limited(Settings(), otpm=0)


@pytest.mark.parametrize(("text", "value"), [("30%", 300), ("30", 300), ("0.5%", 5), (" 100% ", 1_000)])
def test_percentages(text, value):
    """With or without the sign."""
    assert permille(text) == value
