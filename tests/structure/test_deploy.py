"""What `deploy/` holds: dashboards that Grafana takes, and rules that are the gate's own."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.servers.prometheus import RULES
from tests import dashboards
from tests.control.test_metrics_page import families, page
from tests.servers import needs_prometheus
from tidegate.control.metrics.windows import MEASURE
from tidegate.model.alert_rules import BUILT_IN_RULES

BEYOND = {"lane_closed_seconds", "request_utilisation_percent"}  # the gate has no rules of its own for these
PAIRS = {"ms": {(200, 500)}, "percent": {(0.5, 1), (90, 95), (80, 100)}}
NAMED = {
    "TidegateTokenUtilisation": "token_utilisation_percent",
    "TidegateRequestUtilisation": "request_utilisation_percent",
    "TidegateErrorRate": "error_rate_percent",
}


def rules() -> Iterator[dict[str, Any]]:
    for group in YAML(typ="safe").load(RULES)["groups"]:
        yield from group["rules"]


def threshold(rule: dict[str, Any]) -> float:
    return float(re.search(r"([<>]=|==) ([\d.]+)$", rule["expr"])[2])  # type: ignore[index]


def metric(rule: dict[str, Any]) -> str:
    """The measure that a rule is about, "" = none."""
    found = re.search(rf"{MEASURE}(\w+)", rule["expr"])
    return NAMED.get(rule["alert"], found[1] if found else "")


def test_rules_are_those_of_the_gate() -> None:
    """The same metrics, thresholds and times."""
    ours = {
        (rule.metric, severity): (float(value), rule.for_us // 1_000_000)
        for rule in BUILT_IN_RULES
        for severity, value in (("warning", rule.warning), ("critical", rule.critical))
        if value is not None
    }
    theirs = {
        (metric(rule), rule["labels"]["severity"]): (threshold(rule), int(rule.get("for", "0s").removesuffix("s")))
        for rule in rules()
        if metric(rule) and metric(rule) not in BEYOND
    }
    assert theirs == ours


def test_rules_say_what_is_the_matter_in_both_languages() -> None:
    """With what it is about; the Chinese is Chinese."""
    for rule in rules():
        told = rule["annotations"]
        assert set(told) == {"summary", "summary_zh", "description"}
        assert re.search(r"[\u4e00-\u9fff]", told["summary_zh"])
        assert set(re.findall(r"\$\w+(?:\.\w+)?", told["summary"])) == set(
            re.findall(r"\$\w+(?:\.\w+)?", told["summary_zh"])
        )


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")])
def test_promtool_takes_the_rules(words: tuple[str, ...]) -> None:
    """They are well formed, and fire when they should."""
    needs_prometheus()
    done = subprocess.run(["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_configuration(tmp_path: Path) -> None:
    """As it stands, beside its rules."""
    needs_prometheus()
    shutil.copytree(RULES.parent, tmp_path / "prometheus")
    command = ["promtool", "check", "config", str(tmp_path / "prometheus" / "prometheus.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_queries_and_rules_name_metrics_that_exist(tmp_path: Path) -> None:
    """Whatever the page can show."""
    known = {name.removesuffix("_total") for name in families(page(tmp_path))}
    named = {name for one in dashboards.queries() for name in dashboards.metrics(one.expression)}
    named |= {name for rule in rules() for name in dashboards.metrics(rule["expr"])}
    assert named - known == set()
    assert len(named) > 80


@pytest.mark.parametrize("name", dashboards.boards())
def test_a_dashboard_is_one_that_grafana_takes(name: str) -> None:
    """One data source to choose, panels of their own numbers that do not lie upon each other, a uid."""
    board = dashboards.boards()[name]
    shown = board["panels"]
    assert (board["uid"][:9], board["schemaVersion"], board["tags"]) == ("tidegate-", 38, ["tidegate"])
    assert len({panel["id"] for panel in shown}) == len(shown)
    taken: set[tuple[int, int]] = set()
    for panel in shown:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    variables = {one["name"] for one in board["templating"]["list"]}
    for panel in dashboards.panels(board):
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert 'instance=~"$instance"' in target["expr"]
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval", "__range"}
            assert used <= variables, panel["title"]


def test_colours_are_the_thresholds_of_the_mission() -> None:
    """Queue wait 200/500 ms, utilisation 90/95 %, errors 0.5/1 %; budgets as their rule has it."""
    found: dict[str, set[tuple[float, float]]] = {"ms": set(), "percent": set()}
    for board in dashboards.boards().values():
        for panel in dashboards.panels(board):
            settings = panel["fieldConfig"]["defaults"]
            levels = [step["value"] for step in settings["thresholds"]["steps"][1:]]
            if len(levels) == 2 and settings.get("unit") in found:
                found[settings["unit"]].add((levels[0], levels[1]))
    assert found == PAIRS
