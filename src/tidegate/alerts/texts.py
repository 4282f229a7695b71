"""What a notice says, in words and without any markup: pure. `formats.py` and the channels put it into their forms.

Whatever comes from labels is one line of bounded length; what is in them may be anything, so each form escapes it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Final, NamedTuple

from tidegate.alerts.texts_en import ENGLISH
from tidegate.alerts.texts_zh import CHINESE
from tidegate.alerts.words import Words, metric_name, phrase
from tidegate.model.alerts import CRITICAL, FIRING, RESOLVED, TEST, AlertItem, AlertSettings, Notice
from tidegate.model.measures import METRICS
from tidegate.zones import zone_of

LANGUAGES: Final = {"en": ENGLISH, "zh": CHINESE}

_SECOND: Final = 1_000_000
_LONGEST: Final = 96  # characters of a label's value
_TITLE: Final = 140  # characters: Slack has 150
_LABELS: Final = 8
_ITEMS: Final = 30  # what nobody reads on a telephone
_DEEDS: Final = 3
# Breaks of all kinds, controls, and what turns the direction of what follows it.
_UNFIT: Final = re.compile("[\x00-\x20\x7f-\xa0\u061c\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ud800-\udfff]+")


class Paragraph(NamedTuple):
    """One alert."""

    head: str
    rows: tuple[tuple[str, str], ...]  # what, and how it is


class Text(NamedTuple):
    """A notice in words."""

    words: Words
    state: str
    severity: str
    title: str
    gate: str
    alerts: tuple[Paragraph, ...]
    more: int  # alerts beyond those
    remarks: tuple[str, ...]  # what is said in place of alerts
    deeds: tuple[str, ...]
    link: str

    @property
    def single(self) -> bool:
        """The title says it all: the head of the only alert need not."""
        return len(self.alerts) == 1 and not self.more


def compose(notice: Notice, settings: AlertSettings, language: str = "", keyword: str = "") -> Text:
    """The notice in `language`, or in that of the settings. `keyword` stands in the title. O(items)."""
    words = LANGUAGES.get(language or settings.language, ENGLISH)
    gate = clean(settings.gate)
    title = clean(_title(notice, words, gate), _TITLE)
    if keyword and keyword not in title:
        title = f"{title[: _TITLE - len(keyword) - 1]} {keyword}"
    items = () if notice.state == TEST else notice.items  # what stands in a test is nobody's alert
    shown = sorted(items, key=_rank)[:_ITEMS]
    return Text(
        words=words,
        state=notice.state,
        severity=notice.severity,
        title=title,
        gate=gate,
        alerts=tuple(_paragraph(item, notice, words, gate, settings.zone) for item in shown),
        more=notice.more + len(items) - len(shown),
        remarks=(words.test_body,) if notice.state == TEST else (),
        deeds=_deeds(notice, words),
        link=settings.link,
    )


def clean(value: str, longest: int = _LONGEST) -> str:
    """On one line, without what cannot be seen, and not longer than that."""
    line = _UNFIT.sub(" ", value[: 4 * longest]).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _rank(item: AlertItem) -> tuple[bool, bool]:
    """The worst first: what is cut off is the least."""
    return item.resolved, item.severity != CRITICAL


def _title(notice: Notice, words: Words, gate: str) -> str:
    severity = words.severities.get(notice.severity, notice.severity)
    begin = words.states.get(notice.state, words.states[FIRING]).format(severity=severity)
    if notice.state == TEST:
        return f"{begin}{gate}{words.colon}{words.test_title}"
    if not notice.items:
        return begin + gate
    worst = min(notice.items, key=_rank)
    others = len(notice.items) - 1 + notice.more
    text = begin + _sentence(worst, notice, words, gate, over=notice.state == RESOLVED)
    return text + (words.others.format(count=others) if others else "")


def _sentence(item: AlertItem, notice: Notice, words: Words, gate: str, *, over: bool) -> str:
    found = phrase(words, item.metric)
    problem = found.problem.replace("{what}", _subject(item, words, gate))
    if over:
        return problem + words.lasted.format(span=words.span((notice.at_us - item.since_us) / _SECOND))
    return problem + found.amount.replace("{value}", _measured(item.value, item.metric, words))


def _paragraph(item: AlertItem, notice: Notice, words: Words, gate: str, zone: str) -> Paragraph:
    over = item.resolved or notice.state == RESOLVED
    head = _sentence(item, notice, words, gate, over=over)
    if notice.state != RESOLVED and not over:
        head = f"{words.severities.get(item.severity, item.severity)}{words.colon}{head}"
    elif notice.state != RESOLVED:
        problem = phrase(words, item.metric).problem.replace("{what}", _subject(item, words, gate))
        head = problem + words.over.format(span=words.span((notice.at_us - item.since_us) / _SECOND))
    rows = [
        (words.metric, words.threshold.format(
            metric=metric_name(words, item.metric),
            value=_measured(item.value, item.metric, words),
            threshold=_measured(item.threshold, item.metric, words),
        )),
        (words.since, _moment(item.since_us, words, zone)),
    ]  # fmt: skip
    if over:
        rows.append((words.ended, _moment(notice.at_us, words, zone)))
    if item.labels:
        rows.append((words.where, _where(item.labels, words)))
    return Paragraph(clean(head, _TITLE), (*rows, (words.rule, clean(item.rule))))


def _subject(item: AlertItem, words: Words, gate: str) -> str:
    """Whose trouble it is, as short as a title wants it."""
    labels = {name: clean(value) for name, value in item.labels if value}
    if "target" in labels:
        return " → ".join(labels[name] for name in ("plan", "target") if name in labels)
    lane = "/".join(labels[name] for name in ("provider", "scope") if name in labels)
    if "model" in labels:
        return f"{labels['model']} @ {lane}" if lane else labels["model"]
    if "node" in labels:
        return words.node.format(name=labels["node"])
    return labels.get("plan") or labels.get("namespace") or lane or gate


def _where(labels: Sequence[tuple[str, str]], words: Words) -> str:
    shown = [f"{words.labels.get(name, clean(name))} {clean(value)}" for name, value in labels if value][:_LABELS]
    return words.comma.join(shown)


def _deeds(notice: Notice, words: Words) -> tuple[str, ...]:
    """What the gate does about what goes on, each once."""
    if notice.state in (RESOLVED, TEST):
        return ()
    every = (phrase(words, item.metric).deed for item in notice.items[:_ITEMS] if not item.resolved)
    return tuple(dict.fromkeys(deed for deed in every if deed))[:_DEEDS]


def _measured(value: float, metric: str, words: Words) -> str:
    known = METRICS.get(metric)
    unit = known.unit if known else ""
    if not isfinite(value):
        return "?"
    if unit == "s":
        return words.span(value)
    if unit == "bytes":
        return _bytes(value, words)
    return words.amount(_number(value), unit)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def _bytes(value: float, words: Words) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return words.amount(_number(value / size), unit)
    return words.amount(_number(value), "B")


def _moment(us: int, words: Words, zone: str) -> str:
    found = datetime.fromtimestamp(us // _SECOND, zone_of(zone))
    return words.moment.format(moment=found.strftime("%Y-%m-%d %H:%M:%S"), zone=zone or "UTC")
