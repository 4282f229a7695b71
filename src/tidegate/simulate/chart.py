"""What happened over time, as an SVG that needs nothing else: one row of panels for each scheduler."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from tidegate.simulate.report import Report
from tidegate.simulate.scenario import Scenario
from tidegate.simulate.tally import Moment

_COLOURS = ("#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#b8a100", "#5a5a5a", "#e03e3e")
_WIDTH, _HEIGHT = 380, 190  # of a panel, with its margins
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 44, 28
_HEAD = 64
_FONT = "font-family='system-ui, sans-serif'"

Line = tuple[str, str, list[float]]  # name, colour, a value for each moment


def draw(scenario: Scenario, reports: Sequence[Report]) -> str:
    """The whole picture. All panels of a column have the same scale."""
    columns = [_calls, _tokens, _waits]
    lines = [[column(report) for column in columns] for report in reports]
    highest = [max((value for row in lines for _, _, line in row[at] for value in line), default=0) for at in range(3)]
    width, height = _WIDTH * 3 + 40, _HEAD + len(reports) * (_HEIGHT + 12) + 10
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}'>",
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>",
        _text(20, 26, scenario.title, size=17, weight=600),
        _text(20, 46, _subtitle(scenario), size=12, colour="#666666"),
    ]
    for row, report in enumerate(reports):
        top = _HEAD + row * (_HEIGHT + 12)
        parts.append(_text(14, top + _HEIGHT / 2, report.scheduler, size=13, weight=600, turned=True))
        for at, (unit, panel) in enumerate(zip(_TITLES, lines[row], strict=True)):
            parts.append(_panel(24 + at * _WIDTH, top, unit, panel, report.moments, highest[at]))
    return "\n".join((*parts, "</svg>", ""))


_TITLES = ("calls a second", "tokens a minute", "seconds of wait, p99")


def _subtitle(scenario: Scenario) -> str:
    tenants = sum(group.count for group in scenario.tenants)
    accounts = sum(scope.count for scope in scenario.pool.scopes)
    return f"{tenants:,} tenants, {accounts:,} accounts, {scenario.duration_s:,.0f} s, seed {scenario.seed}"


def _calls(report: Report) -> list[Line]:
    def rate(value: Callable[[Moment], int]) -> list[float]:
        return [value(moment) / step for moment, step in _stretches(report)]

    return [
        ("asked", _COLOURS[6], rate(lambda moment: moment.asked)),
        ("answered", _COLOURS[2], rate(lambda moment: moment.answered)),
        ("refused or late", _COLOURS[1], rate(lambda moment: moment.refused + moment.expired + moment.failed)),
        ("429", _COLOURS[7], rate(lambda moment: moment.throttled)),
    ]


def _tokens(report: Report) -> list[Line]:
    return [
        ("quota", _COLOURS[6], [moment.quota / step * 60 for moment, step in _stretches(report)]),
        ("charged", _COLOURS[0], [moment.charged / step * 60 for moment, step in _stretches(report)]),
    ]


def _waits(report: Report) -> list[Line]:
    return [
        (group.name, _COLOURS[at % len(_COLOURS)], [moment.p99_s[at] for moment in report.moments])
        for at, group in enumerate(report.groups[: len(_COLOURS)])
    ]


def _stretches(report: Report) -> list[tuple[Moment, float]]:
    moments = report.moments
    steps = [after.at_s - before.at_s for before, after in pairwise(moments)]
    return list(zip(moments, [*steps, steps[-1] if steps else 1.0], strict=True))


def _panel(left: float, top: float, title: str, lines: list[Line], moments: Sequence[Moment], highest: float) -> str:
    scale = _round_up(highest)
    last = moments[-1].at_s if moments else 1.0
    x0, x1 = left + _LEFT, left + _WIDTH - _RIGHT
    y0, y1 = top + _HEIGHT - _BOTTOM, top + _TOP
    parts = [_text(left + _LEFT, top + 14, title, size=12, weight=600)]
    for step in range(5):
        y = y0 + (y1 - y0) * step / 4
        parts.append(f"<line x1='{x0}' y1='{y:.1f}' x2='{x1}' y2='{y:.1f}' stroke='#e6e6e6'/>")
        parts.append(_text(x0 - 6, y + 4, _short(scale * step / 4), size=10, colour="#666666", anchor="end"))
    for step in range(5):
        x = x0 + (x1 - x0) * step / 4
        parts.append(_text(x, y0 + 16, _clock(last * step / 4), size=10, colour="#666666", anchor="middle"))
    at = left + _LEFT
    for name, colour, values in lines:
        points = " ".join(
            f"{x0 + (x1 - x0) * moment.at_s / last if last else x0:.1f},{y0 + (y1 - y0) * value / scale:.1f}"
            for moment, value in zip(moments, values, strict=True)
        )
        parts.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.5'/>")
        parts.append(f"<rect x='{at}' y='{top + 22}' width='10' height='3' fill='{colour}'/>")
        parts.append(_text(at + 14, top + 27, name, size=10, colour="#333333"))
        at += 26 + 6 * len(name)
    return "\n".join(parts)


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int,
    weight: int = 400,
    colour: str = "#1a1a1a",
    anchor: str = "start",
    turned: bool = False,
) -> str:
    turn = f" transform='rotate(-90 {x:.1f} {y:.1f})'" if turned else ""
    anchor = "middle" if turned else anchor
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {_FONT} font-size='{size}' font-weight='{weight}' fill='{colour}' "
        f"text-anchor='{anchor}'{turn}>{escape(words)}</text>"
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 0.1
    return next((step * power for step in (1, 2, 4, 5, 8) if step * power >= value), 10 * power)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:.3g}"


def _clock(at_s: float) -> str:
    minutes, seconds = divmod(round(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
