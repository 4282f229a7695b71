"""The report as a page: chapters, tables, pictures, and by name whatever is not there."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.install import ROOT
from bench.others import ABSENT
from bench.report.charts import Line, charts, lines, too_busy
from bench.report.parts import Ask, Part
from bench.report.pictures import Chart
from bench.report.sources import Found, Result, find, gateways

_LONGEST_NOTE = 220
_VERDICT = {True: "met", False: "**not met**", None: ""}
_OF_PART = {"cpu.svg": "wire", "stream.svg": "wire", "rate.svg": "wire", "memory.svg": "wire", "start.svg": "wire"}
_PLACES = re.compile(
    "|".join(re.escape(str(place)) for place in sorted({ROOT, Path.home(), Path(tempfile.gettempdir())}, key=str)[::-1])
    + r"|(?<![\w.\-/])/(?:work|root|home)\b"
)
_HEAD = """# Figures

Everything that the project promises in figures, beside other gateways, in one page. `./dev bench all` measures and
writes it, `./dev bench all --report-only` writes it anew from the results that are there; how to read each bench and
proof is told in [bench](README.md).

* **met** and **not met** are against the target of the issue that promised the figure. A quick run is a look and no
  proof.
* **on a loaded machine**: the load average before the run was more than half of the cores, so others worked there too.
  Times and shares of CPU of such a run say little; counts, such as of 429s, say as much as ever.
* **not measured** names the command that would measure it. Nothing is left out silently.
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part, and for each of its asks what was found."""

    part: Part
    found: Mapping[Ask, Found | None]

    def verdicts(self) -> list[bool | None]:
        """Of every figure with a target, and None for each ask without an answer."""
        figures = [figure for one in self.found.values() if one for figure in one.figures if figure["target"]]
        return [figure["met"] for figure in figures] + [None for one in self.found.values() if one is None]

    def loaded(self) -> int:
        """How many figures were judged while others worked on the machine."""
        busy = [one for one in self.found.values() if one and one.result.loaded]
        return sum(1 for one in busy for figure in one.figures if figure["met"] is not None)


def gather(parts: Iterable[Part], results: Sequence[Result]) -> list[Chapter]:
    """The newest answers to all asks, those that only quick runs make included."""
    return [Chapter(part, {ask: find(ask, results) for ask in _asks(part, results)}) for part in parts]


def _asks(part: Part, results: Sequence[Result]) -> list[Ask]:
    extra = [ask for ask in part.quick if ask not in part.asks and find(ask, results)]
    return [*part.asks, *extra]


def page(chapters: Sequence[Chapter], results: Sequence[Result]) -> tuple[str, list[Chart]]:
    """The text, and the pictures that it shows."""
    answers = [one for chapter in chapters for one in chapter.found.values() if one]
    judged = gateways(results)
    pictures = charts(answers, judged)
    parts = [_HEAD, _machines(answers), _summary(chapters), _systems(answers)]
    for chapter in chapters:
        parts += _chapter(chapter, [one for one in pictures if _OF_PART.get(one.file, "judge") == chapter.part.name])
        if chapter.part.name == "judge" and judged:
            parts.append(_scores(judged))
    return _clean("\n".join(parts)).rstrip() + "\n", pictures


def _clean(text: str) -> str:
    """Without the folders of the machine that measured."""
    return _PLACES.sub("…", text)


def _machines(answers: Iterable[Found]) -> str:
    kinds: dict[str, datetime] = {}
    for one in answers:
        machine = one.result.machine
        words = machine.get("words") or (
            f"{machine.get('cpu')}, {machine.get('cores')} cores, {machine.get('memory_mb')} MB, "
            f"Linux {machine.get('kernel')}, Python {machine.get('python')}"
        )
        kinds[words] = max(one.result.when, kinds.get(words, one.result.when))
    listed = [f"* {words}; last on {when:%Y-%m-%d}" for words, when in kinds.items()]
    return "\n".join(["## Where", "", *(listed or ["nowhere yet"]), ""])


def _summary(chapters: Iterable[Chapter]) -> str:
    rows = [
        [
            f"[{chapter.part.title}](#{_anchor(chapter.part.title)})",
            *(str(chapter.verdicts().count(met) or "") for met in (True, False, None)),
            str(chapter.loaded() or ""),
        ]
        for chapter in chapters
    ]
    return _table(["part", "met", "not met", "not measured", "judged on a loaded machine"], rows, "## In short")


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _systems(answers: Iterable[Found]) -> str:
    versions: dict[str, str] = {}
    failed: dict[str, str] = {}
    for one in answers:
        for table in one.tables.values():
            for line in lines(table):
                if line.problem:
                    failed[line.name] = line.problem
                else:
                    versions[line.name] = line.version
    rows = [[name, version, "measured"] for name, version in versions.items()]
    rows += [[name, "", f"no figure: {why}"] for name, why in failed.items() if name not in versions]
    rows += [[name, "", f"not measured: {why}"] for name, why in ABSENT.items()]
    return _table(["system", "version", ""], rows, "## Systems beside each other")


def _chapter(chapter: Chapter, pictures: Iterable[Chart]) -> list[str]:
    parts = [f"## {chapter.part.title}", "", chapter.part.about, ""]
    parts += [f"![{one.title}](report/{one.file})\n" for one in pictures]
    for ask, found in chapter.found.items():
        parts += [f"### {ask.title}", ""]
        if found is None:
            parts += [f"**Not measured here.** {_how(ask)}", ""]
            continue
        parts += [_origin(found), ""]
        parts += [_systems_table(title, lines(table)) for title, table in found.tables.items()]
        if found.figures:
            parts.append(
                _table(["figure", "measured", "target", "", "note"], [_row(one, found) for one in found.figures])
            )
    return parts


def _how(ask: Ask) -> str:
    name, _, number = ask.bench.partition("-")
    if name == "prove":
        return f"`./dev prove {number} --rows {ask.key}`"
    if name == "judge":
        return "`./dev prove 9 --rows 3 --peers`"
    return f"`./dev bench {name}{f' --only {ask.key}' if ask.key else ''}`"


def _origin(found: Found) -> str:
    """When, what, by which command, and how busy the machine was."""
    result = found.result
    before, after = result.load
    load = f"load average {before or 'not told'} before, {after or 'not told'} after"
    referee = result.data.get("referee")
    if referee:
        load = f"the referee's own delay: p99 {referee.get('own_delay_p99_ms')} ms"
    busy = {True: ", **on a loaded machine**", False: "", None: ", whether on a loaded machine is not known"}
    words = [
        f"{result.when:%Y-%m-%d %H:%M} UTC",
        f"commit `{result.commit}`" if result.commit else "commit not told",
        f"`{_typed(result.command)}`",
        *(["a gate of another build (`BENCH_GATE`)"] if result.data.get("other_build") else []),
        "quick" if result.quick else "whole",
        load + busy[result.loaded],
    ]
    return " · ".join(words)


def _typed(command: str) -> str:
    """As one types it in this repository."""
    return command.replace("python -m bench.prove", "./dev prove").replace("python -m bench ", "./dev bench ")


def _systems_table(title: str, systems: Sequence[Line]) -> str:
    heads = ["system", "version", "CPU µs a call", f"÷ {systems[0].name}" if systems else "÷", "its worker µs"]
    heads += ["calls/s", "p50 ms", "p99 ms", "MB", "ready after s"]
    rows = [
        [one.name, one.version, f"no figure: {one.problem}", *[""] * 7]
        if one.problem
        else [
            one.name, one.version, f"{one.cpu_us:,.1f}", f"{one.ratio:,.2f}",
            f"{one.worker_us:,.1f}" if one.worker_us else "", f"{one.rps:,.0f}", f"{one.p50_ms:,.1f}",
            f"{one.p99_ms:,.1f}", f"{one.resident_mb:,.0f}", f"{one.ready_s:,.2f}",
        ]
        for one in systems
    ]  # fmt: skip
    return _table(heads, rows, f"*{title}*")


def _row(figure: Mapping[str, Any], found: Found) -> list[str]:
    note = " ".join(str(figure["note"]).split())
    note = note if len(note) <= _LONGEST_NOTE else f"{note[:_LONGEST_NOTE]}…"
    verdict = _VERDICT[figure["met"]] if figure["target"] else ""
    if figure["target"] and figure["met"] is None:
        verdict = "not measured"
    if verdict and found.result.loaded:
        verdict += ", on a loaded machine"
    return [figure["name"], figure["shown"], figure["target"], verdict, note]


def _scores(judged: Mapping[str, Result]) -> str:
    """Disciplines by gateways."""
    names = list(dict.fromkeys(one["name"] for result in judged.values() for one in result.data["disciplines"]))
    scores = {
        gateway: {one["name"]: one["score"] for one in result.data["disciplines"]} for gateway, result in judged.items()
    }
    rows = [[name, *(_points(scores[gateway].get(name)) for gateway in judged)] for name in names]
    rows.append(["mean", *(_points(result.data.get("score")) for result in judged.values())])
    rows.append(["length", *("quick" if result.quick else "whole" for result in judged.values())])
    rows.append(["the referee", *("too busy to judge" if too_busy(one) else "in time" for one in judged.values())])
    title = "### Every gateway that was judged\n\nA dash: not applicable, or told and not scored."
    return _table(["discipline", *judged], rows, title)


def _points(score: float | None) -> str:
    return "–" if score is None else f"{score:.0f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> str:
    cells = [[str(cell).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") for cell in row] for row in rows]
    shown = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in cells)]
    return "\n".join([*([title, ""] if title else []), *shown, ""])
