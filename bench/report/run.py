"""`./dev bench all`: measure what is not measured yet, part by part, and write the report."""

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.figures import RESULTS, sources
from bench.report.page import gather, page
from bench.report.parts import PARTS, Ask, Part, named
from bench.report.pictures import save
from bench.report.sources import Result, find, read
from bench.upstreams import ROOT

REPORT = ROOT / "bench" / "report.md"
_QUICK_MINUTES = 15.0


def commands(asks: Sequence[Ask], *, quick: bool) -> list[list[str]]:
    """The programs that answer these, one for each bench."""
    found: dict[str, list[Ask]] = {}
    for ask in asks:
        found.setdefault(ask.bench, []).append(ask)
    return [_command(bench, [ask.key for ask in group], quick) for bench, group in found.items()]


def _command(bench: str, keys: Sequence[str], quick: bool) -> list[str]:
    python, short = [sys.executable, "-m"], ["--quick"] if quick else []
    if bench == "wire":
        million = ["--million"] if "memory" in keys and not quick else []
        return [*python, "bench", "wire", "--only", ",".join(keys), "--peers", *million, *short]
    if bench == "judge":
        return [*python, "bench.report.look"] if quick else [*python, "bench.prove", "9", "--rows", "3", "--peers"]
    if bench.startswith("prove-"):
        return [*python, "bench.prove", bench.removeprefix("prove-"), "--rows", ",".join(keys), "--peers", *short]
    return [*python, "bench", bench, *(["--calls", "900"] if quick and bench == "sdk" else short)]


def open_asks(part: Part, results: Iterable[Result], *, quick: bool, again: bool) -> list[Ask]:
    """What this part has no answer to from these sources, of this length at least."""
    now = sources()
    fitting = [one for one in results if now and one.data.get("sources") == now and (quick or not one.quick)]
    return [ask for ask in part.wanted(quick=quick) if again or find(ask, fitting) is None]


def measure(parts: Iterable[Part], options: argparse.Namespace) -> None:
    """Each part's programs in turn, while there is time. One that fails does not end the others."""
    begun = time.monotonic()
    for part in parts:
        asks = open_asks(part, read(RESULTS), quick=options.quick, again=options.again)
        print(f"== {part.name}: {f'{len(asks)} to measure' if asks else 'nothing to measure'}", flush=True)
        if not asks:
            continue
        if options.minutes and time.monotonic() - begun > options.minutes * 60:
            print(f"   not begun: {options.minutes:g} minutes are over; the same command goes on here", flush=True)
            continue
        for command in commands(asks, quick=options.quick):
            print(f"   load {_load()} · {shlex.join(command[1:])}", flush=True)
            code = subprocess.run(command, cwd=ROOT, env=os.environ, check=False).returncode
            print(f"   load {_load()} · exit {code}, {time.monotonic() - begun:.0f} s since the beginning", flush=True)


def _load() -> str:
    return Path("/proc/loadavg").read_text().split()[0]


def write_report(folder: Path = RESULTS, report: Path = REPORT) -> list[str]:
    """`report` and its pictures from the results in `folder`; what is not measured, in words."""
    results = read(folder)
    chapters = gather(PARTS, results)
    text, pictures = page(chapters, results)
    report.write_text(text, encoding="utf-8")
    save(pictures, report.parent / "report")
    return [
        f"{chapter.part.name}: {ask.title}"
        for chapter in chapters
        for ask, found in chapter.found.items()
        if found is None
    ]


def main(words: list[str]) -> int:
    """0 when the report is written; 2 for an unknown part."""
    parser = argparse.ArgumentParser(prog="./dev bench all", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of an hour: a look, not a proof")
    parser.add_argument("--report-only", action="store_true", help="only write the report, from the results there are")
    parser.add_argument("--only", default="", help=f"parts, comma-separated: {', '.join(one.name for one in PARTS)}")
    parser.add_argument("--again", action="store_true", help="measure also what was measured of these sources")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no part after so many (quick: 15)")
    options = parser.parse_args(words)
    options.minutes = options.minutes or (_QUICK_MINUTES if options.quick else 0.0)
    try:
        parts = named(options.only)
    except KeyError as error:
        print(f"there is no part {error}; see ./dev bench all --help", file=sys.stderr)
        return 2
    if not options.report_only:
        measure(parts, options)
    absent = write_report()
    print(f"written: {REPORT.relative_to(ROOT)}; not measured: {len(absent)}")
    for one in absent:
        print(f"   {one}")
    return 0
