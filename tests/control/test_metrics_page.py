"""Every family of the metrics page is in docs/metrics.md, and the other way round."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tidegate.alerts.figures import AlertsStanding
from tidegate.control.board import Board, JobsStanding, Standing
from tidegate.control.declared import Declaration
from tidegate.control.metrics.exposition import render
from tidegate.control.windows import StandingWatch
from tidegate.observe.meters import ClusterMeter, Report
from tidegate.tracing.sender import Figures

TEXT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram|info)?", re.MULTILINE)


def page(state_dir: Path) -> str:
    """With every part that there can be."""
    board = Board()
    board.take(Report(0, 1, 1, last=True, cluster=ClusterMeter("shared", 1, 1, 1)))
    watch = StandingWatch(board, Declaration(), state_dir, lambda: 1)
    jobs = JobsStanding((), (), 0)
    return render(board.views(), Standing(), {}, None, jobs, watch.look(), AlertsStanding(), Figures()).decode()


def families(text: str) -> dict[str, str]:
    """Types by the name under which one asks for them."""
    found = {}
    for family in text_string_to_metric_families(text):
        end = "_total" if family.type == "counter" else ""
        found[family.name + end] = family.type
    return found


def test_the_page_and_its_document_name_the_same(tmp_path: Path) -> None:
    """By name and type; measures are gauges without saying so. A family that is missing in either is named."""
    shown = families(page(tmp_path))
    told = {name: kind or "gauge" for name, kind in ROW.findall(TEXT)}
    told["tidegate_build_info"] = "gauge"  # in this text format an info is a gauge
    assert told == shown
    assert len(ROW.findall(TEXT)) == len(told)
