"""The report: one tree, as JSON and as text. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.rules import VERSION, Measure, Verdict, mark, overall
from tidegate.load.report import percentiles

LATE_MS: Final = 50  # beyond it the machine was too busy to judge by


@dataclass(frozen=True, slots=True)
class Session:
    """What the verdicts are about. `machine`: in words; `late_us`: by how much the referee's clients were late."""

    gateway: str
    settings: str
    when: str
    command: str
    machine: str
    versions: Mapping[str, str]
    seed: int
    quick: bool
    replicas: int
    window: str
    dialect: str
    late_us: Sequence[int] = ()


def tree(session: Session, verdicts: Sequence[Verdict], disciplines: Sequence[Discipline]) -> dict[str, Any]:
    """The whole report as JSON has it."""
    late = percentiles(session.late_us)
    score = overall(verdicts)
    what = {one.name: one for one in disciplines}
    return {
        "rules": VERSION,
        "gateway": session.gateway,
        "settings": session.settings,
        "score": _rounded(score),
        "mark": mark(score),
        "disciplines_judged": sum(1 for verdict in verdicts if verdict.score is not None),
        "when": session.when,
        "command": session.command,
        "machine": session.machine,
        "versions": dict(session.versions),
        "load": {
            "seed": session.seed, "length": "quick" if session.quick else "full", "replicas": session.replicas,
            "window": session.window, "dialect": session.dialect,
        },
        "referee": {
            "own_delay_p50_ms": _rounded(late.p50), "own_delay_p99_ms": _rounded(late.p99),
            "too_busy_to_judge_by": late.p99 > LATE_MS,
        },
        "disciplines": [_verdict(verdict, what[verdict.discipline]) for verdict in verdicts],
    }  # fmt: skip


def _verdict(verdict: Verdict, discipline: Discipline) -> dict[str, Any]:
    return {
        "name": verdict.discipline,
        "what": discipline.what,
        "needs": discipline.needs,
        "score": _rounded(verdict.score),
        "mark": mark(verdict.score),
        "not_applicable": verdict.why_not,
        "offered": verdict.arrivals,
        "measures": [_measure(one) for one in verdict.measures],
        "details": list(verdict.details),
    }


def _measure(one: Measure) -> dict[str, Any]:
    return {
        "name": one.name, "value": _rounded(one.value), "unit": one.unit, "score": _rounded(one.score),
        "formula": one.formula, "note": one.note,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def amount(value: float | None) -> str:
    """A figure for people."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:,.2f}".rstrip("0").rstrip(".")


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report as text."""
    load, referee = report["load"], report["referee"]
    yield f"{report['gateway']}: {report['mark']} {amount(report['score'])}, {report['disciplines_judged']} disciplines"
    yield f"  {report['settings']}" if report["settings"] else "  configured by its operator"
    yield f"  rules {report['rules']}, {load['length']}, seed {load['seed']}, {report['when']}, {report['machine']}"
    yield f"  the referee's own clients were late by {amount(referee['own_delay_p99_ms'])} ms (p99)"
    if referee["too_busy_to_judge_by"]:
        yield f"  that is above {LATE_MS} ms: this machine was too busy to judge by"
    for one in report["disciplines"]:
        yield ""
        if one["not_applicable"]:
            yield f"{one['name']:<12} –       not applicable: {one['not_applicable']}"
            continue
        score = f"{one['mark']} {amount(one['score'])}" if one["score"] is not None else "told"
        yield f"{one['name']:<12} {score:<7} {one['what']}"
        for measure in one["measures"]:
            points = "" if measure["score"] is None else f"→ {amount(measure['score'])}"
            value = f"{amount(measure['value'])} {measure['unit']}".strip()
            yield f"    {measure['name']:<46} {value:<28} {points:<9} {measure['note']}".rstrip()
        yield from (f"      {detail}" for detail in one["details"])
