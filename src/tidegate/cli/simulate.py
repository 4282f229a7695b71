"""`tidegate simulate`: the gate's own policies in virtual time, from a scenario or a trace."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import msgspec
from rich.console import Console

from tidegate.cli import simulate_regions
from tidegate.cli.simulate_regions import NAME as REGIONS
from tidegate.config.findings import ConfigError
from tidegate.load.trace import TraceError, TraceRow, read_trace
from tidegate.simulate import chart, series, table
from tidegate.simulate.reader import read, shipped
from tidegate.simulate.report import Report
from tidegate.simulate.run import Run
from tidegate.simulate.scenario import DISCIPLINES, Discipline, Scenario
from tidegate.units import SECOND_US

_WIDTH = 130


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "scenario",
        nargs="?",
        default="",
        metavar="SCENARIO",
        help=f"a YAML file, or one that is shipped: {', '.join(shipped())}; or {REGIONS}: many with one quota",
    )
    parser.add_argument(
        "--trace", type=Path, metavar="FILE.csv", help="the calls of a trace in place of the scenario's"
    )
    parser.add_argument("--scheduler", type=disciplines, metavar="A,B", help=f"compare these: {', '.join(DISCIPLINES)}")
    parser.add_argument("--seed", type=int, metavar="N", help="of all that is drawn; default: the scenario's")
    parser.add_argument("--duration", type=seconds, metavar="S", help="calls arrive for S seconds")
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="write what happened over time")
    parser.add_argument("--chart", type=Path, metavar="OUT.svg", help="draw what happened over time")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write all figures")


def run(args: Namespace) -> int:
    """Play the scenario once for each scheduler; 0, 1 (a file cannot be written) or 2 (a file cannot be used)."""
    if args.scenario == REGIONS:
        return simulate_regions.run(args, _console())
    if not args.scenario and args.trace is None:
        sys.stderr.write(f"error: name a scenario or a trace; shipped are {', '.join(shipped())}\n")
        return 2
    try:
        rows = read_trace(args.trace) if args.trace else None
        scenario = _wanted(read(args.scenario or "trace"), args, rows)
    except ConfigError as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.lines()))
        return 2
    except TraceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    reports = _play(scenario, rows)
    _console().print(table.render(scenario.title, reports))
    try:
        _write(args, scenario, reports)
    except OSError as error:
        sys.stderr.write(f"error: {error.filename}: {os.strerror(error.errno or 0)}\n")
        return 1
    return 0


def _wanted(scenario: Scenario, args: Namespace, rows: Sequence[TraceRow] | None) -> Scenario:
    """The scenario as the arguments change it; a trace sets how long it takes."""
    duration = args.duration or (rows[-1].at_us / SECOND_US + 1 if rows else scenario.duration_s)
    return msgspec.structs.replace(
        scenario,
        seed=scenario.seed if args.seed is None else args.seed,
        schedulers=args.scheduler or scenario.schedulers,
        duration_s=duration,
        warmup_s=min(scenario.warmup_s, duration / 5),
        faults=tuple(fault for fault in scenario.faults if fault.at_s < duration),
    )


def _play(scenario: Scenario, rows: Sequence[TraceRow] | None) -> list[Report]:
    reports = []
    for scheduler in scenario.schedulers:
        began = process_time()
        reports.append(Run(scenario, scheduler, scenario.seed, rows).play())
        took = process_time() - began
        sys.stderr.write(
            f"{scheduler}: {scenario.duration_s:g} s and {reports[-1].asked:,} calls in {took:.1f} s of CPU, "
            f"{reports[-1].events / took:,.0f} events a second\n"
        )
    return reports


def _write(args: Namespace, scenario: Scenario, reports: Sequence[Report]) -> None:
    if args.csv is not None:
        with args.csv.open("w", encoding="utf-8", newline="") as file:
            series.write(file, reports)
    if args.chart is not None:
        args.chart.write_text(chart.draw(scenario, reports), encoding="utf-8")
    if args.json is not None:
        args.json.write_bytes(msgspec.json.format(msgspec.json.encode(reports), indent=1) + b"\n")


def _console() -> Console:
    """The terminal at its width; elsewhere wide enough for four columns."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def disciplines(text: str) -> tuple[Discipline, ...]:
    """Names of schedulers. Raises `ArgumentTypeError`."""
    found = tuple(name for word in text.split(",") for name in DISCIPLINES if name == word.strip())
    if len(found) != len(text.split(",")):
        raise ArgumentTypeError(f"{text!r}: give one or more of {', '.join(DISCIPLINES)}, with commas between")
    return found


def seconds(text: str) -> float:
    """A number of seconds above 0. Raises `ArgumentTypeError`."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 604_800:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0, and at most a week")
    return value
