"""How findings are printed."""

from tidegate.config.findings import ConfigError, Finding, dotted, shown


def test_text() -> None:
    """Place, field, what is wrong, what would be right; parts that are missing leave no trace."""
    assert Finding(3, 5, "a.b", "wrong", "write it right").text("f.yaml") == "f.yaml:3:5: a.b: wrong; write it right"
    assert Finding(1, 1, "", "wrong").text("f.yaml") == "f.yaml:1:1: wrong"
    assert Finding(1, 1, "", "wrong", file="keys").text("f.yaml") == "keys:1:1: wrong"


def test_order() -> None:
    """An error lists its findings once each, in the order of the file."""
    late, early = Finding(10, 1, "b", "x"), Finding(9, 40, "a", "x")
    error = ConfigError("f.yaml", [late, early, late])
    assert error.findings == (early, late)
    assert error.lines() == ["f.yaml:9:40: a: x", "f.yaml:10:1: b: x"]


def test_paths() -> None:
    """Names by dots, numbers in brackets."""
    assert dotted(("providers", "a", "scopes", 0, "keys", 1)) == "providers.a.scopes[0].keys[1]"
    assert dotted(()) == ""


def test_names_are_safe_to_print() -> None:
    """A name stays on its line and is bounded; one that looks like a key is hidden."""
    assert shown("gpt-4o") == "gpt-4o"
    assert shown("claude-3-5-sonnet-20241022") == "claude-3-5-sonnet-20241022"
    assert shown("meta-llama/Llama-3.3-70B-Instruct") == "meta-llama/Llama-3.3-70B-Instruct"
    assert shown("通义千问") == "通义千问"
    assert shown("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert len(shown("x-" * 500)) == 81
    for key in ("sk-proj-abc", "AKIAIOSFODNN7EXAMPLE", "abcdefghij0123456789abcdef", "Bearer abc"):
        assert shown(key) == "<hidden>"
