"""From a file to a snapshot: the two texts that must load, and files that are hardly files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.config.conftest import Loads, Refusals
from tests.config.texts import MISSION, SMALLEST
from tidegate.config import source
from tidegate.config.findings import ConfigError
from tidegate.config.load import load
from tidegate.model.snapshot import Caching, Limits, RateLimitPolicy, Strategy, decode, encode


def test_smallest(loads: Loads) -> None:
    """The smallest useful file: one provider, the default of its key, defaults for the rest."""
    loaded = loads(SMALLEST)
    (provider,) = loaded.snapshot.providers
    (scope,) = provider.scopes
    assert (provider.name, provider.base_url) == ("openai", "http://127.0.0.1:9100/openai/v1")
    assert (scope.name, scope.keys, scope.limits) == ("main", ("sk-demo",), {"gpt-4o": Limits(3000, 150_000)})
    assert (provider.profile.name, provider.profile.charge, provider.profile.settles) == ("openai", "max", False)
    assert loaded.snapshot.strategies == ()
    assert [warning.field for warning in loaded.warnings] == ["clients"]


def test_mission_field_for_field(loads: Loads) -> None:
    """The mission's policy, as it stands, below the smallest file."""
    (strategy,) = loads(SMALLEST + MISSION).snapshot.strategies
    assert strategy == Strategy(
        name="gpt-4o",
        primary_model="gpt-4o",
        fallback_models=("gpt-3.5-turbo", "claude-3-haiku"),
        rate_limit=RateLimitPolicy(max_rpm=3000, max_tpm=150_000, bucket_capacity=100, refill_rate_milli=5000),
        caching=Caching(enabled=True, ttl_seconds=3600, cache_input_hash=True),
        execution_mode="async",
        queue_backend="redis://localhost:6379/0",
    )
    assert (strategy.retry.max_retries, strategy.retry.multiplier_milli, strategy.retry.jitter) == (3, 2000, True)


def test_mission_alone(loads: Loads) -> None:
    """A file of policies alone loads, with warnings of what is missing and of what contradicts itself."""
    loaded = loads(MISSION)
    assert loaded.snapshot.providers == ()
    assert {warning.field for warning in loaded.warnings} == {
        "providers",
        "clients",
        "model_strategy.rate_limit_policy.refill_rate",
    }


def test_serving_needs_a_provider(refusals: Refusals, loads: Loads) -> None:
    """What `check` warns of is an error for `serve`."""
    (error,) = refusals(MISSION, serving=True)
    assert error.startswith("1:1: providers: serve needs at least one provider; add `providers: ")
    assert loads(SMALLEST, serving=True).snapshot.providers


def test_snapshot_travels(loads: Loads) -> None:
    """What the loader writes is what a worker reads; the warnings go along as text."""
    snapshot = loads(SMALLEST + MISSION).snapshot
    assert decode(encode(snapshot)) == snapshot
    assert not any("caching" in warning for warning in snapshot.warnings)


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("${KEY}", "sk-1"),
        ('"${KEY}"', "sk-1"),
        ("'${KEY}'", "sk-1"),
        ("x${KEY}y", "xsk-1y"),
        ("${KEY:-other}", "sk-1"),
        ("${NONE:-other}", "other"),
    ],
)
def test_variables(loads: Loads, spelling: str, key: str) -> None:
    """A key from the environment, however it is written."""
    text = SMALLEST.replace(
        '- {name: main, keys: ["${OPENAI_API_KEY:-sk-demo}"], limits', "- name: main\n        limits"
    )
    text = text.replace("150000}}}", f"150000}}}}\n        keys:\n          - {spelling}")
    assert loads(text, KEY="sk-1").snapshot.providers[0].scopes[0].keys == (key,)


NUMBERS = """\
model_strategy:
  primary_model: gpt-4o
  deadline_seconds: ${DEADLINE}
  rate_limit_policy: {max_rpm: "${RPM:-3000}"}
  retry_policy: {jitter_enabled: "${JITTER}"}
"""


def test_variables_become_numbers(loads: Loads) -> None:
    """Where a number or a truth value is due, the replaced text is read as one, quoted or not."""
    (strategy,) = loads(NUMBERS, DEADLINE="1.5", JITTER="false").snapshot.strategies
    assert (strategy.deadline_us, strategy.rate_limit.max_rpm, strategy.retry.jitter) == (1_500_000, 3000, False)


def test_text_stays_text(loads: Loads) -> None:
    """A key of digits from the environment is a key; one in the file without quotes is a number, and an error."""
    text = SMALLEST.replace("${OPENAI_API_KEY:-sk-demo}", "${KEY}")
    assert loads(text, KEY="123456").snapshot.providers[0].scopes[0].keys == ("123456",)


def test_schema_does_not_print_secrets(loads: Loads) -> None:
    """What holds a key or a password leaves it out of its `repr`."""
    text = SMALLEST.replace("sk-demo", "s3cret") + "    proxy: http://u:s3cret@h:1\nclients: {keys: [s3cret-2]}\n"
    text += "model_strategy: {primary_model: m, queue_backend: 'redis://u:s3cret@h'}\n"
    assert "s3cret" not in repr(loads(text).config)


def test_names_from_the_environment(loads: Loads, refusals: Refusals) -> None:
    """A model's name may come from the environment; errors show it as the file has it."""
    text = SMALLEST.replace("gpt-4o:", '"${MODEL}":')
    assert loads(text, MODEL="o3").snapshot.providers[0].scopes[0].limits == {"o3": Limits(3000, 150_000)}
    (error,) = refusals(text.replace("3000", "-1"), MODEL="o3")
    assert "limits.${MODEL}.rpm: must be at least 1" in error


def test_anchors_and_merge_keys(loads: Loads) -> None:
    """Aliases copy, `<<` merges, and what a mapping says itself wins."""
    text = """\
strategies:
  a: &a
    primary_model: gpt-4o
    deadline_seconds: 10
    retry_policy: &retry {max_retries: 5}
  b:
    <<: *a
    primary_model: gpt-4o-mini
  c:
    <<: [{deadline_seconds: 7}, *a]
    primary_model: o3
    retry_policy: *retry
"""
    a, b, c = loads(text).snapshot.strategies
    assert (b.primary_model, b.deadline_us, b.retry) == ("gpt-4o-mini", 10_000_000, a.retry)
    assert (c.primary_model, c.deadline_us, c.retry.max_retries) == ("o3", 7_000_000, 5)


def test_errors_in_merged_lines(refusals: Refusals) -> None:
    """An error in merged lines stands where the lines stand, once for each use."""
    text = (
        "strategies:\n  a: &a\n    primary_model: a\n    deadline_seconds: -1\n  b:\n    <<: *a\n    primary_model: b\n"
    )
    assert [error.split(": ")[:2] for error in refusals(text)] == [
        ["4:23", "strategies.a.deadline_seconds"],
        ["4:23", "strategies.b.deadline_seconds"],
    ]


def test_empty_fields_count_as_left_out(loads: Loads) -> None:
    """A section whose lines are commented out is no error; a model named without more is named."""
    text = SMALLEST + "    models:\n      o3:\nclients:\nserver:\n  tls:\ndefaults:\n  retry_policy:\n"
    snapshot = loads(text).snapshot
    assert list(snapshot.providers[0].models) == ["o3", "gpt-4o"]
    assert snapshot.server.tls is None


def test_byte_order_mark(loads: Loads) -> None:
    """A byte order mark in front is no text."""
    assert loads(b"\xef\xbb\xbf" + SMALLEST.encode()).snapshot.providers


@pytest.mark.parametrize(
    ("name", "said"),
    [("missing.yaml", "No such file or directory"), (".", "Is a directory"), ("a\0b", "not a usable path")],
)
def test_no_file(tmp_path: Path, name: str, said: str) -> None:
    """A file that cannot be read is an error at 1:1 with the reason."""
    with pytest.raises(ConfigError) as refused:
        load(f"{tmp_path}/{name}", {})
    (finding,) = refused.value.findings
    assert finding.message == f"cannot be read ({said})"


def test_size_is_bounded(refusals: Refusals) -> None:
    """A file above 1 MiB is refused before it is parsed."""
    (error,) = refusals("# " + "x" * source.MAX_BYTES)
    assert "larger than 1,048,576 bytes; move client keys to clients.keys_file" in error


def test_depth_is_bounded(refusals: Refusals) -> None:
    """Nesting is bounded, in what is read and in what the parser itself can read."""
    for text in ("clients: " + "[" * 40 + "]" * 40, "[" * 600):
        assert any("nested too deeply" in error for error in refusals(text))


@pytest.mark.parametrize("kind", ["values", "merges"])
def test_aliases_cannot_multiply(refusals: Refusals, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases of aliases that would come to billions of values end at the bound."""
    monkeypatch.setattr(source, "MAX_VALUES", 2_000)
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 25):
        inner = f"*a{level - 1}, *a{level - 1}"
        lines.append(f"a{level}: &a{level} [{inner}]" if kind == "values" else f"a{level}: &a{level} {{<<: [{inner}]}}")
    errors = refusals("\n".join(lines))
    assert any("more than 2,000 values, aliases counted" in error for error in errors)


def test_proxy_of_the_environment(loads: Loads, refusals: Refusals) -> None:
    """Proxies are settled when the file is loaded; one that cannot be used is an error that names the variable."""
    environ: Mapping[str, str] = {"http_proxy": "http://proxy.example:3128"}
    assert loads(SMALLEST, **environ).snapshot.providers[0].proxy == "http://proxy.example:3128"
    assert loads(SMALLEST, **environ, no_proxy="127.0.0.1").snapshot.providers[0].proxy == ""
    assert loads(SMALLEST + "    proxy: none\n", **environ).snapshot.providers[0].proxy == ""
    assert loads(SMALLEST + "    proxy: http://own:1\n", **environ).snapshot.providers[0].proxy == "http://own:1"
    (error,) = refusals(SMALLEST, http_proxy="socks5://alice:s3cret@proxy.example")
    assert error.startswith("2:3: providers.openai: the environment variable http_proxy names no usable proxy")
    assert "s3cret" not in error
