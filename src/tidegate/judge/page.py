"""The report as one page that needs nothing else: no script, no other host, light and dark. Pure."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from tidegate.judge.report import LATE_MS, amount

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --line: #d0d7de;
  --A: #1a7f37; --B: #4d7a16; --C: #9a6700; --D: #bc4c00; --E: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --line: #30363d;
  --A: #3fb950; --B: #7ba33a; --C: #d29922; --D: #f0883e; --E: #ff7b72; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p, dl { margin: .3rem 0; } .soft, td.soft { color: var(--soft); }
.mark { font-weight: 700; } .A { color: var(--A); } .B { color: var(--B); } .C { color: var(--C); }
.D { color: var(--D); } .E { color: var(--E); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top;
  padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); } td.number { white-space: nowrap; }
.bar { height: .5rem; width: 8rem; background: var(--line); border-radius: .25rem; overflow: hidden; }
.bar i { display: block; height: 100%; background: currentColor; }
code { font-size: .9em; overflow-wrap: anywhere; } ul { margin: .3rem 0 0; padding-left: 1.2rem; }
"""


def page(report: Mapping[str, Any]) -> str:
    """All of it, every word escaped."""
    name = escape(report["gateway"])
    body = "\n".join([*_head(report), *_overview(report), *_disciplines(report), *_foot(report)])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Judged: {name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h1>{escape(report['gateway'])}: {_mark(report)}</h1>"
    judged = report["disciplines_judged"]
    settings = escape(report["settings"] or "Configured by its operator.")
    yield f'<p class="soft">{judged} disciplines judged. {settings}</p>'
    if report["referee"]["too_busy_to_judge_by"]:
        yield f'<p class="E">The referee itself was late by more than {LATE_MS} ms: too busy a machine to judge by.</p>'


def _overview(report: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>At a glance</h2><table><tr><th>discipline</th><th>score</th><th></th><th>what</th></tr>"
    for one in report["disciplines"]:
        score = one["score"]
        width = 0 if score is None else score
        bar = f'<div class="bar {one["mark"]}"><i style="width:{width:.0f}%"></i></div>' if score is not None else ""
        shown = f"not applicable: {one['not_applicable']}" if one["not_applicable"] else one["what"]
        yield f'<tr><td>{escape(one["name"])}</td><td class="number">{_mark(one)}</td><td>{bar}</td>'
        yield f"<td>{escape(shown)}</td></tr>"
    yield "</table>"


def _disciplines(report: Mapping[str, Any]) -> Iterator[str]:
    for one in report["disciplines"]:
        if not one["measures"]:
            continue
        yield f'<h2>{escape(one["name"])} {_mark(one)}</h2><p class="soft">{escape(one["what"])}; offered: '
        yield f"{escape(one['offered'])}</p><table>"
        for measure in one["measures"]:
            points = "told" if measure["score"] is None else f"→ {amount(measure['score'])}"
            value = f"{amount(measure['value'])} {measure['unit']}"
            words = "; ".join(word for word in (measure["note"], measure["formula"]) if word)
            yield f'<tr><td>{escape(measure["name"])}</td><td class="number">{escape(value)}</td>'
            yield f'<td class="number">{points}</td><td class="soft">{escape(words)}</td></tr>'
        yield "</table>"
        if one["details"]:
            yield "<ul>" + "".join(f"<li>{escape(detail)}</li>" for detail in one["details"]) + "</ul>"


def _foot(report: Mapping[str, Any]) -> Iterator[str]:
    load, referee = report["load"], report["referee"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    rows = {
        "rules": f"version {report['rules']}: docs/judge.md of Tidegate",
        "load": ", ".join(f"{name} {value}" for name, value in load.items()),
        "referee": f"its own clients were late by {amount(referee['own_delay_p50_ms'])} ms (median), "
        f"{amount(referee['own_delay_p99_ms'])} ms (p99)",
        "machine": report["machine"],
        "versions": versions,
        "when": report["when"],
        "command": report["command"],
    }
    yield "<h2>How it was judged</h2><table>"
    for name, text in rows.items():
        yield f"<tr><td>{name}</td><td><code>{escape(text)}</code></td></tr>"
    yield "</table>"


def _mark(one: Mapping[str, Any]) -> str:
    score = "" if one["score"] is None else f" {amount(one['score'])}"
    return f'<span class="mark {one["mark"]}">{one["mark"]}{score}</span>'
