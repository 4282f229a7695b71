"""How the demo looks: a live table in a terminal, a line a second elsewhere, a picture for documents."""

import re
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tidegate.load.pulse import Pulse
from tidegate.load.report import Percentiles

WIDTH = 96
_FIGURE = 30  # columns of a bar or a curve
_BARS = " ▁▂▃▄▅▆▇█"
_WEB_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)  # a document's picture loads nothing from elsewhere


def snippets(base_url: str) -> Text:
    """What to try while the demo runs."""
    text = f"""\
curl {base_url}/chat/completions -H 'content-type: application/json' \\
  -d '{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello"}}]}}'

from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key="anything", max_retries=0)
messages = [{{"role": "user", "content": "Hello"}}]
print(client.chat.completions.create(model="gpt-4o", messages=messages))
"""
    return Text.assemble(("Try it while this runs:\n\n", "bold"), text)


def table(pulse: Pulse) -> RenderableType:
    """The live table."""
    gate = pulse.gate
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    grid.add_row("token quota in use", _of(gate.used_tokens, gate.limit_tokens))
    grid.add_row("request quota in use", _of(gate.used_requests, gate.limit_requests))
    grid.add_row("charged each second", _beside(_spark(pulse.charged), _pace(pulse)))
    grid.add_row("waiting in the gate", _beside(_spark(pulse.queue), f"{gate.waiting:,} calls"))
    grid.add_row("wait, last 10 s", _times(pulse.waited))
    grid.add_row("answer time, last 10 s", _times(pulse.latency))
    grid.add_row("429s at the provider", _throttled(pulse))
    grid.add_row("calls", _calls(pulse))
    title = f"applications → tidegate → provider (quota twin) · {pulse.second} s · Ctrl-C ends"
    return Panel(grid, title=title, title_align="left", width=WIDTH)


def line(pulse: Pulse) -> str:
    """The same in one line."""
    gate = pulse.gate
    return (
        f"{pulse.second:>4} s  quota in use: {gate.used_tokens:,} of {gate.limit_tokens:,} tokens, "
        f"{gate.used_requests:,} of {gate.limit_requests:,} requests  waiting {gate.waiting:,}  "
        f"wait p50 {pulse.waited.p50 / 1e3:.1f} s  latency p50 {pulse.latency.p50 / 1e3:.1f} s  "
        f"429s at the provider {pulse.throttled:,}  {_calls(pulse)}"
    )


def save_picture(path: Path, base_url: str, pulse: Pulse) -> None:
    """Snippets and table as SVG. Raises `OSError`."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(snippets(base_url), table(pulse))
    console.save_svg(str(path), title="tidegate demo", code_format=_WEB_FONT.sub("", CONSOLE_SVG_FORMAT))


def _of(value: int, limit: int) -> RenderableType:
    bar = ProgressBar(max(1, limit), min(value, limit), _FIGURE, complete_style="cyan", finished_style="cyan")
    return _beside(bar, f"{value:,} of {limit:,} ({value / limit:.0%})" if limit else "–")


def _beside(figure: RenderableType, text: str) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=_FIGURE)
    grid.add_column()
    grid.add_row(figure, text)
    return grid


def _spark(values: tuple[int, ...]) -> str:
    """The last values as bars, two seconds to a bar, the highest at full height."""
    pairs = [max(values[max(0, at - 1) : at + 1]) for at in range(len(values) - 1, -1, -2)][::-1][-_FIGURE:]
    highest = max(pairs, default=0) or 1
    return "".join(_BARS[-(-value * (len(_BARS) - 1) // highest)] for value in pairs).rjust(_FIGURE)


def _pace(pulse: Pulse) -> str:
    return f"{pulse.tokens_a_second:,} tokens a second (quota: {pulse.gate.limit_tokens // 60:,})"


def _times(times: Percentiles) -> str:
    if not times.count:
        return "–"
    return f"p50 {times.p50 / 1e3:.2f} s   p90 {times.p90 / 1e3:.2f} s   max {times.max / 1e3:.2f} s"


def _throttled(pulse: Pulse) -> Text:
    good = not pulse.avoidable
    return Text(f"{pulse.throttled:,} ({pulse.avoidable:,} avoidable)", style="bold green" if good else "bold red")


def _calls(pulse: Pulse) -> str:
    ended = ", ".join(f"{count:,} {ending.value}" for ending, count in pulse.endings.items() if count)
    return f"{pulse.sent:,} sent, {pulse.open:,} open" + (f", {ended}" if ended else "")
