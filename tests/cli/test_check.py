"""`tidegate check`: what it prints and how it ends."""

import argparse
import json
from pathlib import Path

import pytest

from tests.config.texts import MISSION, SMALLEST
from tidegate.cli import check


def run(path: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args([str(path), *options]))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path / "gate.yaml"


def test_good(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings leave the status at 0."""
    file.write_text(SMALLEST)
    assert run(file) == 0
    first, second, third, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{file}:1:1: warning: clients: no client keys")
    told = "openai at http://127.0.0.1:9100/openai/v1, profile openai of 2026-11-23"
    assert second == f"{file}: providers.openai: {told}"
    told = "2.5 in, 10 out, 1.25 cached, USD for 1M tokens; by genai-prices 0."
    assert third.startswith(f"{file}: providers.openai.models.gpt-4o: {told}")
    assert last == f"{file}: ok, 1 provider, 0 strategies, 1 warning"


def test_policies_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mission's file is right as it stands."""
    file.write_text(MISSION)
    assert run(file) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{file}: ok, 0 providers, 1 strategy, 3 warnings"


def test_bad(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every error, and 2."""
    scopes = 'scopes: [{name: main, keys: ["${OPENAI_API_KEY}"]}]'
    file.write_text("providers:\n  a: {dialect: openai}\nqueue: {max_call: 1}\n")
    assert run(file) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:2:3: error: providers.a.base_url: required, but missing; add `base_url: https://api.openai.com/v1`",
        f"{file}:2:3: error: providers.a.scopes: required, but missing; add `{scopes}`",
        f"{file}:3:9: error: queue.max_call: unknown field; did you mean max_calls?",
        f"{file}: 3 errors",
    ]


def test_missing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is an error like any other."""
    assert run(file) == 2
    assert "error: cannot be read (No such file or directory)" in capsys.readouterr().out


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with the same findings."""
    file.write_text("queue: {max_call: 1}\n")
    assert run(file, "--json") == 2
    assert json.loads(capsys.readouterr().out) == {
        "file": str(file),
        "ok": False,
        "errors": [
            {
                "file": str(file),
                "line": 1,
                "column": 9,
                "field": "queue.max_call",
                "message": "unknown field",
                "remedy": "did you mean max_calls?",
            }
        ],
        "warnings": [],
        "jobs": None,
        "providers": [],
    }
    file.write_text(SMALLEST)
    assert run(file, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["errors"], len(answer["warnings"])) == (True, [], 1)
    (provider,) = answer["providers"]
    assert provider["source"].startswith("OpenAI: rate limits (https://")
    assert {name: provider[name] for name in ("name", "dialect", "base_url", "profile", "dated")} == {
        "name": "openai",
        "dialect": "openai",
        "base_url": "http://127.0.0.1:9100/openai/v1",
        "profile": "openai",
        "dated": "2026-11-23",
    }


def test_patient_work(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What carries it, without its secrets, and how much of it runs at a time."""
    jobs = "jobs: {queue_backend: 'amqp://u:geheim@rabbit/v', concurrency: 8}\n"
    file.write_text(MISSION + jobs)
    assert run(file) == 0
    out = capsys.readouterr().out
    assert f"{file}: jobs: amqp://rabbit/v, redis://localhost:6379/0; 1 runner for each, 8 calls at a time\n" in out
    assert "geheim" not in out
    assert run(file, "--json") == 0
    told = {"backends": ["amqp://rabbit/v", "redis://localhost:6379/0"], "runners": 1, "concurrency": 8}
    assert json.loads(capsys.readouterr().out)["jobs"] == told
    file.write_text(SMALLEST + "jobs: {runners: 0}\n")
    assert run(file) == 0
    assert f"{file}: jobs: embedded; runners of your own\n" in capsys.readouterr().out


def test_base_urls_are_told_as_they_are_used(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the version that the profile appends, and the profile that the URL chooses."""
    scopes = "scopes: [{name: main, keys: [none]}]"
    file.write_text(
        "providers:\n"
        f"  a: {{dialect: anthropic, base_url: 'https://api.anthropic.com', {scopes}}}\n"
        f"  b: {{profile: azure, base_url: 'https://x.openai.azure.com/openai/v1/', {scopes}}}\n"
    )
    assert run(file) == 0
    told = [line.partition(": providers.")[2] for line in capsys.readouterr().out.splitlines()]
    assert "a: anthropic at https://api.anthropic.com/v1, profile anthropic of 2026-11-23" in told
    assert "b: openai at https://x.openai.azure.com/openai/v1, profile azure-v1 of 2026-11-22" in told


def test_prices_and_workers_of_their_own_are_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What models cost in the house currency and who says so; where an isolated namespace is served."""
    price = "{input: 0.0005, output: 0.002, per: 1k, currency: CNY, tiers: [{above: 200000, input: 7}]}"
    file.write_text(
        f"{SMALLEST}    models: {{mine: {{price: {price}}}}}\n"
        "money: {exchange: {CNY: 0.1}}\n"
        "pools: {own: {scopes: [openai/main], only: [acme]}}\n"
        "namespaces: {acme: {keys: [k], isolation: {port: 8081, cpu: 0.125}}, rest: {keys: [l]}}\n"
    )
    assert run(file) == 0
    told = [line.partition(f"{file}: ")[2] for line in capsys.readouterr().out.splitlines()]
    prices = "0.05 in, 0.2 out, 0.05 cached, USD for 1M tokens, another above 200,000; by the file"
    assert f"providers.openai.models.mine: {prices}" in told
    assert "namespaces.acme: a worker of its own at port 8081, at most 12.5 % of a CPU" in told
    assert run(file, "--json") == 0
    (provider,) = json.loads(capsys.readouterr().out)["providers"]
    assert provider["prices"]["mine"] == {
        "source": "the file",
        "currency": "USD",
        "input": "0.05",
        "output": "0.2",
        "cached_input": "0.05",
        "cache_write": "0.05",
        "per_request": "0",
    }
