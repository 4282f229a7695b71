"""The report says what was measured, how busy the machine was, and by name what was not measured."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.figures import Figure, at_most, exactly, missing, told
from bench.others import ABSENT
from bench.proofs.table import PROOFS
from bench.report import run
from bench.report.charts import lines
from bench.report.parts import ELSEWHERE, PARTS, Ask, Part, named
from bench.report.pictures import Bar, Chart, draw
from bench.report.sources import find, read

MACHINE = {"cpu": "a CPU", "cores": 2, "memory_mb": 8000, "kernel": "6", "python": "3.11", "load_average": "2 1 1"}
UNARY = "1 KB chat completion"


def system(name: str, cost: float, *, failed: str = "") -> dict[str, Any]:
    wrk = {"requests": 10, "micros": 1_000_000, "p50_us": 1000, "p99_us": 2000, "not_2xx": 0, "socket_errors": 0}
    samples = [] if failed else [{"all_us": cost, "worker_us": 0.0, "wrk": wrk}]
    return {"name": name, "version": "1.2", "failed": failed, "samples": samples, "resident_mb": 20, "ready_s": 0.5}


def figure(one: Figure) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("name", "shown", "target", "met", "value", "note")}


def result(folder: Path, name: str, **more: Any) -> Path:
    """A file of results as benches write it."""
    record = {
        "when": "2026-11-23T01:00:00+00:00", "commit": "abc1234", "sources": "5f5f5f5",
        "command": "python -m bench wire", "load_before": "0.10 0.10 0.10", "cores": 2, "machine": MACHINE,
        "figures": [],
    } | more  # fmt: skip
    (folder / "kept").mkdir(exist_ok=True)
    path = folder / "kept" / f"{name}.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def wire(folder: Path, name: str = "wire-1", *, cost: float = 2.5, **more: Any) -> Path:
    told_cost = figure(at_most("governed unary, worker ÷ nginx", cost, 3.5, "×"))
    systems = {
        "nginx": system("nginx", 40.0),
        "Envoy": system("Envoy", 0, failed="pip: no such package | at all"),
        "Tidegate": system("Tidegate", 100.0),
    }
    return result(folder, name, sections={"unary": [[UNARY], [told_cost]]}, tables={UNARY: systems}, **more)


def written(folder: Path) -> tuple[str, list[str]]:
    report = folder / "report.md"
    absent = run.write_report(folder, report)
    return report.read_text(encoding="utf-8"), absent


def test_what_was_measured_stands_with_its_target(tmp_path: Path) -> None:
    """A figure has its value, target and verdict, its command as one types it, commit, time and load."""
    wire(tmp_path)
    text, absent = written(tmp_path)
    assert "| governed unary, worker ÷ nginx | 2.50 × | ≤ 3.50 × | met |" in text
    assert "2026-11-23 01:00 UTC · commit `abc1234` · `./dev bench wire` · whole" in text
    assert "load average 0.10 0.10 0.10 before, 2 1 1 after" in text
    assert "loaded machine**" not in text.partition("## Where")[2]
    assert "wire: The governed request beside nginx and Envoy" not in absent


def test_a_missing_part_is_named_with_its_command(tmp_path: Path) -> None:
    """With nothing measured, every ask of every part stands there, and how it would be measured."""
    text, absent = written(tmp_path)
    wanted = [ask for part in PARTS for ask in part.asks]
    assert len(absent) == text.count("**Not measured here.**") == len(wanted)
    for part in PARTS:
        assert f"## {part.title}\n" in text
    assert "`./dev prove 2 --rows 8`" in text
    assert "`./dev bench wire --only cached`" in text
    assert "`./dev prove 9 --rows 3 --peers`" in text


def test_a_system_without_figures_is_named_with_the_reason(tmp_path: Path) -> None:
    """One that does not install says why, in its table and in the list; others are named that nobody can install."""
    wire(tmp_path)
    text, _ = written(tmp_path)
    assert text.count("no figure: pip: no such package \\| at all") == 2
    assert all(f"| {name} |  | not measured: {why} |" in text for name, why in ABSENT.items())


def test_a_missed_target_and_a_figure_that_failed(tmp_path: Path) -> None:
    """Not met is said aloud; what could not be measured is neither."""
    row = PROOFS[2][7][0]
    figures = [figure(exactly("429s", 3, 0)), figure(missing("QPS", "≥ 1", "no CPU")), figure(told("p50", "1 ms"))]
    result(tmp_path, "prove-2-1", rows=[{"what": row, "figures": figures}], command="python -m bench.prove 2 --quick")
    text, _ = written(tmp_path)
    assert "| 429s | 3 | = 0 | **not met** |  |" in text
    assert "| QPS | not measured | ≥ 1 | not measured | no CPU |" in text
    assert "| p50 | 1 ms |  |  |  |" in text
    assert "· `./dev prove 2 --quick` · quick ·" in text
    assert "| [Calls a second](#calls-a-second) |  | 1 | 2 |  |" in text


def test_a_loaded_machine_is_said(tmp_path: Path) -> None:
    """More load before the run than half of the cores; where nobody knows, that is said."""
    wire(tmp_path, load_before="1.40 1 1")
    text, _ = written(tmp_path)
    assert "before, 2 1 1 after, **on a loaded machine**" in text
    assert "| ≤ 3.50 × | met, on a loaded machine |" in text
    assert "(#what-a-call-costs) | 1 |  | 2 | 1 |" in text
    wire(tmp_path, load_before="")
    assert "whether on a loaded machine is not known" in written(tmp_path)[0]


def test_the_newest_counts_and_a_whole_run_before_a_look(tmp_path: Path) -> None:
    """A later run replaces an earlier one, but a quick one not the whole one of its commit."""
    ask = Ask("wire", "unary")
    first = wire(tmp_path, "wire-1", cost=2.0)
    wire(tmp_path, "wire-2", cost=3.0, when="2026-11-23T02:00:00+00:00", commit="def")
    quick = {"command": "python -m bench wire --quick", "when": "2026-11-23T03:00:00+00:00"}
    for commit, value in (("def", 3.0), ("fff", 3.25)):
        wire(tmp_path, "wire-3", cost=3.25, commit=commit, **quick)
        found = find(ask, read(tmp_path))
        assert found
        assert found.figures[0]["value"] == value
    first.write_text("{ no result", encoding="utf-8")
    assert len(read(tmp_path)) == 2


def test_the_judges_scores(tmp_path: Path) -> None:
    """A column for each gateway; ours has to reach its bound, others are only told."""
    for name, score in (("Tidegate 0.9.0, 1 × 1 worker", 91.0), ("LiteLLM 1.106.2, 1 process", 23.0)):
        one = {"name": "retry-after", "score": score, "mark": "B", "not_applicable": "", "measures": []}
        rest = {"gateway": name, "score": score, "disciplines_judged": 1, "disciplines": [one]}
        result(tmp_path, f"judge-{name[:4]}", load={"length": "quick"}, **rest)
    text, absent = written(tmp_path)
    assert "| retry-after | 91 | 23 |" in text
    assert "| Tidegate, 1 × 1 worker: retry-after | 91 | ≥ 95 | **not met** |" in text
    assert "| [The referee's scores](#the-referees-scores) |  | 1 | 2 |  |" in text
    assert "judge: tidegate judge: Portkey" in absent
    assert (tmp_path / "report" / "judge.svg").exists()


def test_no_folder_of_the_machine_is_told(tmp_path: Path) -> None:
    """Commands and notes lose what nobody else has."""
    note = figure(told("log", "x", f"see {Path.home()}/a, {run.ROOT}/b and {tmp_path}/c"))
    result(tmp_path, "jobs-1", figures=[note], command=f"python -m bench jobs --to {Path.home()}/z")
    text, _ = written(tmp_path)
    assert "see …/a, …/b and …" in text
    assert not any(f"{place}/" in text for place in (Path.home(), run.ROOT, tmp_path))


def test_every_row_of_every_proof_has_one_place() -> None:
    """What the issues 1/9 to 8/9 promised is in exactly one part, or named with where it is."""
    asked = Counter((ask.bench, ask.key) for part in PARTS for ask in part.asks)
    rows = {(f"prove-{number}", str(at)) for number in range(1, 9) for at in range(1, len(PROOFS[number]) + 1)}
    assert max(asked.values()) == 1
    assert {row for row in asked if row[0].startswith("prove-")} | set(ELSEWHERE) == rows
    assert not set(asked) & set(ELSEWHERE)


def test_only_what_is_missing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part goes on where it was left: a result of the same sources, and long enough, stands."""
    part = Part("wire", "", "", (Ask("wire", "unary"), Ask("wire", "peers")), (Ask("wire", "unary"),))
    wire(tmp_path, command="python -m bench wire --quick")
    monkeypatch.setattr(run, "sources", lambda: "5f5f5f5")
    results = read(tmp_path)
    assert run.open_asks(part, results, quick=True, again=False) == []
    assert run.open_asks(part, results, quick=True, again=True) == [Ask("wire", "unary")]
    assert run.open_asks(part, results, quick=False, again=False) == list(part.asks)
    for others in ("6a6a6a6", ""):
        monkeypatch.setattr(run, "sources", lambda others=others: others)
        assert run.open_asks(part, results, quick=True, again=False) == [Ask("wire", "unary")]


def test_one_command_for_each_bench() -> None:
    """Asks of one bench go together; a quick run says so to all of them."""
    asks = [Ask("wire", "memory"), Ask("wire", "start"), Ask("prove-2", "1"), Ask("judge", "Tidegate"), Ask("sdk")]
    assert [" ".join(words[2:]) for words in run.commands(asks, quick=False)] == [
        "bench wire --only memory,start --peers --million",
        "bench.prove 2 --rows 1 --peers",
        "bench.prove 9 --rows 3 --peers",
        "bench sdk",
    ]
    assert [" ".join(words[2:]) for words in run.commands(asks, quick=True)] == [
        "bench wire --only memory,start --peers --quick",
        "bench.prove 2 --rows 1 --peers --quick",
        "bench.report.look",
        "bench sdk --calls 900",
    ]


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2 and its name."""
    assert run.main(["--only", "wire,nonsense", "--report-only"]) == 2
    assert "nonsense" in capsys.readouterr().err
    assert [part.name for part in named("judge,wire")] == ["judge", "wire"]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_picture_is_xml_and_bars_grow_with_their_values(logarithmic: bool) -> None:
    """Names are escaped, colours follow the reader's scheme, and a target stands where its value is."""
    bars = [Bar("a < b", 1.0, "× 1"), Bar("ours & more", 30.0, "× 30", ours=True)]
    text = draw(Chart("x.svg", "a title", "times", bars, logarithmic, target=30.0, said="has to be ≤ 30"))
    picture = ET.fromstring(text)
    widths = [float(one.attrib["width"]) for one in picture.iter("{http://www.w3.org/2000/svg}rect")]
    assert 0 < widths[0] < widths[1]
    assert "prefers-color-scheme: dark" in text
    marks = [one.attrib["d"] for one in picture.iter("{http://www.w3.org/2000/svg}path") if one.get("class") == "mark"]
    assert float(marks[0][1:].split()[0]) == pytest.approx(230 + widths[1], abs=0.2)


def test_a_line_of_a_table_has_its_medians() -> None:
    """Ratios are round by round; answers that failed leave no figure."""
    table = {"nginx": system("nginx", 40.0), "ours": system("ours", 100.0), "bad": system("bad", 1.0)}
    table["bad"]["samples"][0]["wrk"]["not_2xx"] = 3
    nginx, ours, bad = lines(table)
    assert (nginx.ratio, ours.ratio, ours.rps, ours.p50_ms) == (1.0, 2.5, 10.0, 1.0)
    assert bad.problem == "3 requests failed"
