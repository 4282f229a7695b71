"""How runs are shown: table, CSV, chart."""

import csv
from io import StringIO
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.simulate.scenes import calls, play, short, small
from tidegate.simulate import chart, series, table
from tidegate.simulate.report import Report

SCENE = small(calls("shop", 1, tier="vip"), calls("free", 6, tier="free", deadline_s=9))


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return [play(SCENE), play(SCENE, "fifo")]


def shown(reports: list[Report]) -> str:
    console = Console(file=StringIO(), width=130)
    console.print(table.render("What happens", reports))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_the_table_has_a_column_for_each_scheduler(reports: list[Report]) -> None:
    """And the figures of each group."""
    text = shown(reports)
    for word in ("What happens", "dynamic", "fifo", "shop (vip)", "free (free)", "wait p99", "429s at the provider"):
        assert word in text
    assert f"{reports[0].asked:,}" in text
    assert "came back when told" not in text


def test_the_table_of_shards_names_owners_and_handovers() -> None:
    """What was lost and re-homed, and that no call was."""
    text = shown([play(short("sharded", 3, load=0.02))])
    for word in ("owner-8", "shards lost and re-homed", "waiting calls handed in again", "calls lost: 0"):
        assert word in text


def test_the_csv_has_a_line_for_each_stretch(reports: list[Report]) -> None:
    """Of each scheduler, with the waits of each group."""
    file = StringIO()
    series.write(file, reports)
    rows = list(csv.DictReader(StringIO(file.getvalue())))
    assert len(rows) == len(reports[0].moments) + len(reports[1].moments)
    assert {row["scheduler"] for row in rows} == {"dynamic", "fifo"}
    assert sum(int(row["asked"]) for row in rows) == 2 * reports[0].asked
    assert set(rows[0]) == {*series.COLUMNS, "wait_p99_s_shop", "wait_p99_s_free"}


def test_the_chart_is_a_picture_of_its_own(reports: list[Report]) -> None:
    """Well-formed, three panels to a scheduler, and nothing is loaded from anywhere."""
    text = chart.draw(SCENE, reports)
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "href" not in text
    lines = [node for node in root.iter() if node.tag.endswith("polyline")]
    assert len(lines) == 2 * (4 + 2 + 2)
    words = {node.text for node in root.iter() if node.tag.endswith("text")}
    assert {"small", "dynamic", "fifo", "calls a second", "shop"} <= words
