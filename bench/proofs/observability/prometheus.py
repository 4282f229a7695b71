"""A real Prometheus takes what a busy gate shows: every query of every dashboard has data, every rule is evaluated."""

import json
from typing import Final

from bench.figures import exactly
from bench.proofs.steps import Context, Row, last_line, passing, run
from bench.upstreams import ROOT

_RULES: Final = "deploy/prometheus/alerts.yaml"
_TESTS: Final = "deploy/prometheus/alerts_test.yaml"


def prometheus(context: Context, row: Row) -> None:
    """Dashboards and rules, against a gate that serves, refuses, moves and keeps."""
    for name, command in (
        ("rules that promtool takes", ("promtool", "check", "rules", _RULES)),
        ("rules that do what they say", ("promtool", "test", "rules", _TESTS)),
    ):
        done = run(row, command)
        row.figures.append(exactly(name, done.returncode, 0, last_line(done.stdout or done.stderr)))
    asked = _queries()
    passing("tests/e2e/test_prometheus.py", name="dashboards and rules at a real Prometheus")(context, row)
    shown = row.figures[-1].met
    row.figures.append(exactly("queries of dashboards with data", asked if shown else 0, asked))


def _queries() -> int:
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "deploy" / "grafana").glob("*.json")]
    return sum(len(panel.get("targets", ())) for board in boards for panel in board["panels"])
