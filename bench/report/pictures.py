"""Bars as SVG, written by hand. Colours follow whoever looks: dark where the reader's pages are dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_WIDE, _LEFT, _RIGHT, _ROW, _TOP = 440, 230, 110, 26, 58
_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .soft { fill: #59636e; font-size: 12px }
.title { font-weight: 600; font-size: 15px } .grid { stroke: #d1d9e0 } .bar { fill: #8c959f } .ours { fill: #0969da }
.mark { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 4 3 } .said { fill: #bc4c00; font-size: 12px }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .bar { fill: #6e7681 } .ours { fill: #4493f8 }
.mark { stroke: #f0883e } .said { fill: #f0883e } }
</style>"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line. `shown`: the value in words."""

    name: str
    value: float
    shown: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: lines from top to bottom, and a target where there is one."""

    file: str
    title: str
    unit: str
    bars: Sequence[Bar]
    logarithmic: bool = False
    most: float = 0.0  # the end of the axis; that of the values when 0
    target: float = 0.0
    said: str = ""


def draw(chart: Chart) -> str:
    """The picture's text."""
    height = _TOP + _ROW * len(chart.bars) + 44
    low = _TOP + _ROW * len(chart.bars) + 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDE + _RIGHT}" height="{height}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        _STYLE,
        f'<text class="title" x="12" y="22">{escape(chart.title)}</text>',
    ]
    for tick in _ticks(chart):
        x = _x(chart, tick)
        parts += [
            f'<path class="grid" d="M{x:.1f} {_TOP - 8}V{low}"/>',
            f'<text class="soft" x="{x:.1f}" y="{low + 16}" text-anchor="middle">{tick:,g}</text>',
        ]
    parts.append(f'<text class="soft" x="{_LEFT}" y="{low + 32}">{escape(chart.unit)}</text>')
    for at, bar in enumerate(chart.bars):
        y, x = _TOP + at * _ROW, _x(chart, bar.value)
        kind = "ours" if bar.ours else "bar"
        parts += [
            f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{max(1.0, x - _LEFT):.1f}" height="17" rx="2"/>',
            f'<text x="{x + 6:.1f}" y="{y + 13}">{escape(bar.shown)}</text>',
        ]
    if chart.target:
        x = _x(chart, chart.target)
        parts += [
            f'<path class="mark" d="M{x:.1f} {_TOP - 8}V{low}"/>',
            f'<text class="said" x="{x:.1f}" y="{_TOP - 14}" text-anchor="middle">{escape(chart.said)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _reach(chart: Chart) -> tuple[float, float]:
    values = [bar.value for bar in chart.bars if bar.value > 0] + [one for one in (chart.target, chart.most) if one]
    low, high = min(values), max(values)
    if not chart.logarithmic:
        return 0.0, high
    return 10 ** math.floor(math.log10(low * 0.9)), 10 ** math.ceil(math.log10(high))


def _x(chart: Chart, value: float) -> float:
    low, high = _reach(chart)
    share = math.log(max(value, low) / low) / math.log(high / low) if chart.logarithmic else value / high
    return _LEFT + share * _WIDE


def _ticks(chart: Chart) -> list[float]:
    low, high = _reach(chart)
    if chart.logarithmic:
        return [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high))
    step = next(size for size in (step / 5, step / 2, step) if high / size <= 6)
    return [step * number for number in range(int(high / step) + 1)]


def save(charts: Sequence[Chart], folder: Path) -> None:
    """One file each; what is there of pictures that are no more goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for chart in charts:
        (folder / chart.file).write_text(draw(chart), encoding="utf-8")
