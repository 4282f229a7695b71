"""`tidegate simulate` as it is typed."""

import json
from pathlib import Path

import pytest

from tidegate.cli.main import main

SCENE = """\
title: Two tiers
duration_s: 12
warmup_s: 2
pool:
  scopes: [{name: a, count: 2, tpm: 60000}]
tenants:
  - {name: shop, tier: vip, pattern: {rate: 2}}
  - {name: apps, count: 20, pattern: {rate: 8}, deadline_s: 5, retry: sdk}
"""


@pytest.fixture
def scene(tmp_path: Path) -> str:
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE, encoding="utf-8")
    return str(path)


def test_a_scenario_is_played_twice_alike(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is the same again, to the last character; another seed gives another."""
    assert main(["simulate", scene, "--scheduler", "dynamic,fifo"]) == 0
    once = capsys.readouterr()
    assert main(["simulate", scene, "--scheduler", "dynamic,fifo"]) == 0
    assert capsys.readouterr().out == once.out
    assert main(["simulate", scene, "--scheduler", "dynamic,fifo", "--seed", "5"]) == 0
    assert capsys.readouterr().out != once.out
    assert "Two tiers" in once.out
    assert "events a second" in once.err


def test_what_is_asked_for_is_written(scene: str, tmp_path: Path) -> None:
    """Lines, a picture, all figures."""
    names = {kind: str(tmp_path / f"out.{kind}") for kind in ("csv", "svg", "json")}
    words = ["--csv", names["csv"], "--chart", names["svg"], "--json", names["json"]]
    assert main(["simulate", scene, "--scheduler", "round_robin", "--duration", "6", *words]) == 0
    (figures,) = json.loads(Path(names["json"]).read_text(encoding="utf-8"))
    assert figures["scheduler"] == "round_robin"
    assert figures["asked"] > 0
    assert Path(names["csv"]).read_text(encoding="utf-8").startswith("scheduler,at_s,asked")
    assert Path(names["svg"]).read_text(encoding="utf-8").startswith("<svg")


def test_a_trace_is_played_on_the_shipped_pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its times and sizes, the pool's tenants."""
    path = tmp_path / "trace.csv"
    rows = "".join(f"2023-11-16 18:15:{second:02}.0,500,100\n" for second in range(30))
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows, encoding="utf-8")
    assert main(["simulate", "--trace", str(path), "--scheduler", "dynamic"]) == 0
    assert "30 (100.0%)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate"], "shipped are 618-peak, account-loss"),
        (["simulate", "nowhere.yaml"], "nowhere.yaml:1:1: cannot be read (No such file or directory); give the path"),
        (["simulate", "--trace", "nowhere.csv"], "nowhere.csv:1: cannot be read"),
        (["simulate", "flood", "--scheduler", "lottery"], "give one or more of dynamic, weighted, round_robin, fifo"),
        (["simulate", "flood", "--duration", "0"], "not a number of seconds above 0"),
    ],
)
def test_what_cannot_be_used_is_said(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 and what would be right."""
    try:
        status = main(words)
    except SystemExit as error:
        status = int(error.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_a_wrong_scenario_names_line_and_remedy(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As `tidegate check` does."""
    Path(scene).write_text(SCENE.replace("tier: vip", "tier: gold"), encoding="utf-8")
    assert main(["simulate", scene]) == 2
    assert f"{scene}:7:" in (said := capsys.readouterr().err)
    assert "tenants[0].tier: unknown word; one of batch, free, paid, vip" in said


def test_a_file_that_cannot_be_written(scene: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, after the table."""
    assert main(["simulate", scene, "--scheduler", "fifo", "--csv", str(tmp_path / "no" / "out.csv")]) == 1
    printed = capsys.readouterr()
    assert "No such file" in printed.err
    assert "Two tiers" in printed.out
