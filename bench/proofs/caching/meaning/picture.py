"""Curves as an SVG, written by hand: no plotting library is needed."""

from collections.abc import Sequence
from pathlib import Path

from bench.proofs.caching.meaning.compared import Point

_WIDE, _HIGH, _LEFT, _TOP = 360, 250, 60, 50
_COLOURS = {"plain": "#c0392b", "gate": "#1f6fb2"}
Line = tuple[str, str, Sequence[Point]]  # panel, plain | gate, its points


def draw(path: Path, lines: Sequence[Line], most_rate: float, most_false: int) -> None:
    """A panel for each language. Full lines: as judged by hand; dashed: as judged in the data."""
    panels = list(dict.fromkeys(panel for panel, _, _ in lines))
    width = _LEFT + len(panels) * (_WIDE + _LEFT)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_TOP + _HIGH + 100}">',
        "<style>text { font: 12px sans-serif }</style>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for at, panel in enumerate(panels):
        left = _LEFT + at * (_WIDE + _LEFT)
        parts += _axes(panel, left, most_rate, most_false)
        for _, kind, points in (line for line in lines if line[0] == panel):
            kept = [point for point in points if point.rate <= most_rate]
            for dashed, counts in ((False, [p.corrected for p in kept]), (True, [p.false for p in kept])):
                shape = " ".join(
                    f"{left + point.rate / most_rate * _WIDE:.1f},{_TOP + _HIGH - min(1, n / most_false) * _HIGH:.1f}"
                    for point, n in zip(kept, counts, strict=True)
                )
                dash = ' stroke-dasharray="4 3"' if dashed else ""
                parts.append(
                    f'<polyline fill="none" stroke="{_COLOURS[kind]}" stroke-width="2"{dash} points="{shape}"/>'
                )
    parts += _legend(_LEFT, _TOP + _HIGH + 60)
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _axes(panel: str, left: int, most_rate: float, most_false: int) -> list[str]:
    low = _TOP + _HIGH
    parts = [
        f'<text x="{left}" y="{_TOP - 18}" font-weight="bold">{panel}</text>',
        f'<path d="M{left} {_TOP}V{low}H{left + _WIDE}" fill="none" stroke="#333"/>',
        f'<text x="{left + _WIDE / 2}" y="{low + 36}" text-anchor="middle">true pairs that are hit, %</text>',
        f'<text x="{left - 34}" y="{_TOP - 4}" text-anchor="start">false hits</text>',
    ]
    for step in range(6):
        x, y = left + step * _WIDE / 5, low - step * _HIGH / 5
        parts += [
            f'<text x="{x:.0f}" y="{low + 17}" text-anchor="middle">{step * most_rate * 20:.0f}</text>',
            f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{step * most_false / 5:.0f}</text>',
            f'<path d="M{left} {y:.1f}H{left + _WIDE}" stroke="#ddd"/>',
        ]
    return parts


def _legend(left: int, top: int) -> list[str]:
    rows = (("plain", "a plain threshold"), ("gate", "gate and threshold"))
    parts = []
    for at, (kind, words) in enumerate(rows):
        x = left + at * 190
        parts += [
            f'<path d="M{x} {top}h28" stroke="{_COLOURS[kind]}" stroke-width="2"/>',
            f'<text x="{x + 34}" y="{top + 4}">{words}</text>',
        ]
    x = left + 2 * 190
    return [
        *parts,
        f'<path d="M{x} {top}h28" stroke="#555" stroke-width="2" stroke-dasharray="4 3"/>',
        f'<text x="{x + 34}" y="{top + 4}">as judged in the data; full: after judging the disputed ones by hand</text>',
    ]
