"""Whatever a text says, nothing that is told of it has a value of the environment; and some read no environment."""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.config.test_secrets import ACCESS, FULL, JOBS, Steps
from tests.config.texts import MISSION
from tidegate.config.findings import ConfigError
from tidegate.config.load import judge, load

VALUES = {
    "NAME": "zq7hunter",
    "URL": "postgresql://tide:zq7hunter@db.example/x",
    "GLOB": "zq7hunter*",
    "NUMBER": "7301974",
}
MOST = 60  # of each document; all of them take minutes
MANY = 15  # warnings of one file
CANARIES = ("zq7hunter", "7301974", "7.30197", "7,301,974")
TALKATIVE: dict[str, Any] = {  # right, and there is much to say of it
    "providers": {
        "a": {
            "dialect": "openai",
            "base_url": "https://one.example/v1",
            "scopes": [
                {"name": "main", "keys": ["key-1"], "limits": {"m": {"rpm": 9}}},
                {"name": "more", "keys": ["key-2"], "limits": {"n": {"rpm": 9}}},
            ],
            "models": {"odd": {"context": 8}},
        },
        "b": {"dialect": "anthropic", "base_url": "https://one.example/v1", "scopes": [{"name": "s", "keys": ["k"]}]},
        "c": {"dialect": "openai", "base_url": "https://two.example/v1", "scopes": [{"name": "s", "keys": ["k"]}]},
    },
    "model_strategy": {
        "primary_model": "m",
        "fallback_models": [{"model": "gone", "priority": 1}, {"model": "n", "priority": 1}],
        "rate_limit_policy": {"max_rpm": 600, "refill_rate": 1, "bucket_capacity": 5},
        "deadline_seconds": 10,
        "fallback_after_seconds": 20,
        "shadow": {"model": "odd", "share": "1%", "max_cost_per_day": 1},
    },
    "strategies": {"s": {"primary_model": "nowhere", "degrade": [{"model": "nothing"}]}},
    "defaults": {"degrade": [{"model": "nothing"}]},
    "namespaces": {
        "acme": {
            "keys": [{"name": "web", "key": "client-1", "models": ["none*"], "budget": {"per_day": 1}}],
            "users": {"bob": {"models": ["none"]}},
            "by_model": {"none": {"budget": {"per_day": 1}}},
            "isolation": {"port": 8090},
        },
        "idle": {},
    },
    "pools": {
        "p": {"scopes": ["a/main"], "only": ["acme"]},
        "q": {"scopes": ["b/s"], "only": ["acme"]},
        "r": {"scopes": ["c/s"], "only": ["idle"]},
    },
    "drills": {
        "d": {
            "judge": "gone",
            "embedder": "nobody",
            "prompts": [{"prompt": "x", "expect": [{"judge": {"rubric": "good?"}}, {"regex": "[a-z]"}]}],
        }
    },
    "alerts": {
        "channels": {
            "ops": {"kind": "slack", "url": "https://hooks.example/services/x"},
            "idle": {"kind": "command", "command": ["/x"]},
        },
        "rules": {"mine": {"metric": "limited_seconds", "warning": 1}},
        "routes": [{"channels": ["ops"], "rules": ["mine"]}],
    },
}  # fmt: skip
WRONG: dict[str, Any] = {  # every name that a remedy lists, and every word that is no word
    **TALKATIVE,
    "regions": {"name": "eu", "all": ["eu", "us"], "store": "redis://r", "floor_percent": 50, "scopes": ["a/none"]},
    "alerts": {
        "channels": {"ops": {"kind": "slack", "url": "https://hooks.example/services/x"}},
        "rules": {"mine": {"metric": "limited_seconds", "warning": 1}},
        "routes": [{"channels": ["opps"], "rules": ["mime"], "group_by": ["rule"]}],
    },
    "cache": {"groups": {"g": {"namespaces": ["acne"]}}},
    "pools": {"p": {"scopes": ["d/main", "a/none"], "only": ["acne"], "shares": {"acne": "60%"}}},
    "profiles": {"ours": "none.yaml"},
    "drills": {
        "d": {
            "strategies": ["none"],
            "prompts": [{"prompt": "x", "expect": [{"judge": {"rubric": "?"}}, {"regex": "["}]}],
        }
    },
}  # fmt: skip
DOCUMENTS = {
    "full": FULL, "access": ACCESS, "jobs": JOBS, "talkative": TALKATIVE, "wrong": WRONG,
    "mission": YAML(typ="safe", pure=True).load(MISSION),
}  # fmt: skip


def variants(value: Any, seed: int = 1) -> Iterator[Any]:
    """The document with a reference in the place of a value or a name, for some of them."""
    every = [(steps, variable) for steps in places(value) for variable in VALUES]
    for steps, variable in random.Random(seed).sample(every, min(len(every), MOST)):
        yield _with(value, steps, f"${{{variable}}}")


def places(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Values by their steps; a name is a step more, `None`."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*steps, name, None)  # type: ignore[misc]
            yield from places(item, (*steps, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*steps, index))
    else:
        yield steps


def _with(value: Any, steps: Steps, text: str) -> Any:
    copy = json.loads(json.dumps(value))
    *way, last = steps[:-1] if steps[-1] is None else steps
    inner = copy
    for step in way:
        inner = inner[step]
    if steps[-1] is not None:
        inner[last] = text
    else:  # in its place among the others
        pairs = [(text if name == last else name, item) for name, item in inner.items()]
        inner.clear()
        inner.update(pairs)
    return copy


def told(path: Path, environ: Mapping[str, str]) -> list[str]:
    """Every line that is told of a file, at the start and by `check`."""
    try:
        loaded = load(str(path), environ, serving=True)
    except ConfigError as error:
        return error.lines()
    return [*loaded.snapshot.warnings, *(one.text(str(path)) for one in loaded.warnings)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_value_of_the_environment_is_told(name: str, tmp_path: Path) -> None:
    """In the place of a value or a name, whatever it is: a word, an address, a pattern, a number."""
    path, count = tmp_path / "gate.yaml", 0
    path.write_text(json.dumps(TALKATIVE))
    assert len(load(str(path), {}, serving=True).warnings) > MANY
    for one in variants(DOCUMENTS[name]):
        path.write_text(json.dumps(one))
        lines = told(path, VALUES)
        count += len(lines)
        assert not [line for line in lines if any(canary in line for canary in CANARIES)], json.dumps(one)
    assert count


PROVIDERS = """\
providers:
  a: {dialect: openai, base_url: 'https://a.example/v1', scopes: [{name: s, keys: [k]}]}
  c: {dialect: openai, base_url: 'https://c.example/v1', scopes: [{name: s, keys: [k]}]}
"""
DRILL = """\
strategies: {s: {primary_model: m, fallback_models: [{model: n}]}}
drills: {d: {judge: '${V}', prompts: [{prompt: x, expect: [{judge: {rubric: y}}]}]}}
"""
HIGH = "model_strategy: {primary_model: m, rate_limit_policy: {max_rpm: '${N}', refill_rate: 1, bucket_capacity: 9}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strategies: {s: {primary_model: m, fallback_models: [{model: '${V}'}]}}\n", "no provider serves ${V}"),
        ("clients: {keys: [{name: x, key: y, models: ['${V}']}]}\n", "is called ${V}"),
        (DRILL, "no provider serves ${V}"),
        (HIGH, "in a minute it comes to less than max_rpm"),
        ("profiles: {'${V}': /dev/null/none}\n", "profiles.${V}"),
    ],
)
def test_a_reference_is_told_as_it_is_written(text: str, said: str, tmp_path: Path) -> None:
    """Where a message names what the file says."""
    path = tmp_path / "gate.yaml"
    path.write_text(PROVIDERS + text)
    lines = told(path, {"V": "zq7hunter", "N": "7301974"})
    assert any(said in line for line in lines), lines
    assert not [line for line in lines if any(canary in line for canary in CANARIES)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_who_may_not_apply_learns_nothing_of_it(name: str, tmp_path: Path) -> None:
    """What a text by itself is told has no value, and is the same whatever the environment says, or says not."""
    path = tmp_path / "gate.yaml"
    for one in variants(DOCUMENTS[name]):
        try:
            found = judge(str(path), json.dumps(one).encode())
        except ConfigError as error:
            found = error.findings
        assert all("is not set" not in line.sentence() for line in found)


def test_what_depends_on_the_environment_is_not_judged(tmp_path: Path) -> None:
    """Numbers, addresses and names that refer to it are neither right nor wrong, and it is said that they are not."""
    text = """\
providers:
  a:
    dialect: openai
    base_url: "${URL}"
    profile: ours
    scopes: [{name: s, keys: ["${KEY}"], max_concurrent: "${MOST}"}]
profiles: {ours: /dev/null/none}
clients: {keys_file: /dev/null/none}
pools: {p: {scopes: [a/s], only: [whoever]}}
alerts: {channels: {ops: {kind: slack, url: "${OPS}"}}}
"""
    (warning,) = judge(str(tmp_path / "gate.yaml"), text.encode())
    assert warning.message.startswith("variables and files that the text names are not read")
    with pytest.raises(ConfigError) as refused:
        judge(str(tmp_path / "gate.yaml"), (text + "queue: {max_calls: -1}\nserver: {tls: '${1}'}\n").encode())
    assert [one.field for one in refused.value.findings] == ["queue.max_calls", "server.tls"]
