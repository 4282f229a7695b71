"""Which pictures the report has, from what was found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.figures import median
from bench.report.pictures import Bar, Chart
from bench.report.sources import Found, Result

OURS = "Tidegate"
_SCALE = "nginx"


@dataclass(frozen=True, slots=True)
class Line:
    """A system of a table of the wire bench, with its medians. `problem`: why there is no figure."""

    name: str
    version: str
    problem: str
    cpu_us: float = 0.0
    ratio: float = 0.0
    worker_us: float = 0.0
    rps: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    resident_mb: float = 0.0
    ready_s: float = 0.0


def lines(table: Mapping[str, Any]) -> list[Line]:
    """A table's systems. Ratios are to the first one, round by round."""
    first: Mapping[str, Any] = next(iter(table.values()), {})
    return [_line(one, first) for one in table.values()]


def _line(one: Mapping[str, Any], first: Mapping[str, Any]) -> Line:
    samples = one.get("samples", [])
    wrk = [sample["wrk"] for sample in samples]
    bad = sum(each["not_2xx"] + each["socket_errors"] for each in wrk)
    problem = one.get("failed", "") or ("" if samples else "not measured")
    if not problem and (bad or not all(each["requests"] for each in wrk)):
        problem = f"{bad:,} requests failed" if bad else "answered nothing in a whole round"
    if problem:
        return Line(one["name"], one.get("version", ""), problem)
    pairs = zip(samples, first.get("samples", []), strict=False)
    return Line(
        one["name"],
        one.get("version", ""),
        "",
        median(sample["all_us"] for sample in samples),
        median(mine["all_us"] / its["all_us"] for mine, its in pairs if its["all_us"]),
        median(sample["worker_us"] for sample in samples),
        median(each["requests"] * 1e6 / max(1, each["micros"]) for each in wrk),
        median(each["p50_us"] / 1e3 for each in wrk),
        median(each["p99_us"] / 1e3 for each in wrk),
        one.get("resident_mb", 0.0),
        one.get("ready_s", 0.0),
    )


def charts(found: Iterable[Found], judged: Mapping[str, Result]) -> list[Chart]:
    """All of which there are data."""
    everything = {title: lines(table) for one in found for title, table in one.tables.items()}
    unary = _together(everything, "1 KB chat completion", "peers, 1 KB chat completion")
    stream = _together(everything, "stream of 51 chunks", "peers, stream of 51 chunks")
    made = [
        Chart("cpu.svg", "CPU of a 1 KB call, all processes", "times nginx; lower is better, logarithmic",
              _bars(unary, lambda one: one.ratio, "× {:,.2f}"), True, target=5.0, said="ours has to be ≤ 5"),
        Chart("stream.svg", "CPU of a stream of 51 chunks, all processes",
              "times nginx; lower is better, logarithmic",
              _bars(stream, lambda one: one.ratio, "× {:,.2f}"), True),
        Chart("rate.svg", "Calls a second, 64 connections, closed loop", "higher is better, logarithmic; "
              "load, upstream and system share the cores",
              _bars(unary, lambda one: one.rps, "{:,.0f}"), True),
        Chart("memory.svg", "Resident memory of all processes", "MB after the rounds; lower is better",
              _bars(unary, lambda one: one.resident_mb, "{:,.0f} MB"), target=200.0, said="ours has to be ≤ 200"),
        Chart("start.svg", "From exec until it takes calls", "seconds; lower is better, logarithmic",
              _bars(unary, lambda one: one.ready_s, "{:,.2f} s"), True, target=1.0, said="ours has to be ≤ 1"),
        Chart("judge.svg", "The referee's score, mean of the disciplines that applied",
              "of 100; compare only where the same disciplines applied",
              [_score(name, one) for name, one in judged.items() if one.data.get("score") and not too_busy(one)],
              most=100.0),
    ]  # fmt: skip
    return [chart for chart in made if chart.bars]


def _together(tables: Mapping[str, list[Line]], *titles: str) -> list[Line]:
    """Systems of several tables, the scale once; each ratio is to the scale of its own rounds."""
    every: dict[str, Line] = {}
    for title in titles:
        for one in tables.get(title, []):
            if not one.problem:
                every.setdefault(one.name, one)
    return sorted(every.values(), key=lambda one: one.ratio)


def _bars(systems: Iterable[Line], value: Callable[[Line], float], shape: str) -> list[Bar]:
    kept = [one for one in systems if value(one) > 0]
    return [Bar(one.name, value(one), shape.format(value(one)), one.name == OURS) for one in kept]


def too_busy(result: Result) -> bool:
    """Did the referee say that the machine left it no time to judge?"""
    return bool(result.data.get("referee", {}).get("too_busy_to_judge_by"))


def _score(name: str, result: Result) -> Bar:
    score, count = float(result.data["score"]), result.data.get("disciplines_judged", 0)
    return Bar(name, score, f"{score:.0f} (of {count})", OURS in name)
