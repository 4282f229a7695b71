"""How `tidegate top` looks. Widths are the terminal's cells, so that names in any script keep their columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from tidegate.cli import top_panels as panels
from tidegate.cli.top_headline import headline
from tidegate.cli.top_state import State

PANELS: Final = ("quotas", "queues", "tenants", "trouble", "processes")
ALL: Final = "all"
KEYS: Final = {"0": ALL, **{str(number): panel for number, panel in enumerate(PANELS, 1)}}
_MOODS: Final = {"bad": "bold red", "busy": "bold yellow", "well": "bold green"}
_MOST: Final = 40  # rows of a panel that is alone, and of what is printed once


@dataclass(frozen=True, slots=True)
class Look:
    """What the one at the terminal wants to see."""

    panel: str = ALL
    paused: bool = False


def page(state: State, width: int = 160, panel: str = ALL, most: int = _MOST) -> RenderableType:
    """Everything, or one panel: what is happening in a sentence, how fast it goes, and the tables."""
    told = headline(state)
    parts: list[RenderableType] = [panels.name(told.text, _MOODS[told.mood]), _summary(state)]
    for name in PANELS if panel == ALL else (panel,):
        if panel != ALL or _says_something(state, name):
            parts += [
                Text(""),
                panels.name(f"{PANELS.index(name) + 1} {name}", "bold dim"),
                _panel(state, name, width, most),
            ]
    return Group(*parts)


class Screen:
    """The page at the size of the terminal, and at its foot the keys."""

    def __init__(self, state: State, look: Look) -> None:
        self._state = state
        self._look = look

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many lines as there are."""
        height = max(2, options.height or console.size.height)
        shown = 1 if self._look.panel != ALL else len(PANELS)
        most = max(2, (height - 4) // shown - 3)
        whole = page(self._state, options.max_width, self._look.panel, most)
        lines = console.render_lines(whole, options.update(height=None), pad=False)[: height - 1]
        foot = console.render_lines(_foot(self._look, options.max_width), options.update(height=None), pad=False)[:1]
        blank: list[list[Segment]] = [[] for _ in range(height - 1 - len(lines))]
        yield from _joined([*lines, *blank, *foot])


def _joined(lines: list[list[Segment]]) -> Iterator[Segment]:
    for number, line in enumerate(lines):
        yield from line
        if number < len(lines) - 1:
            yield Segment.line()


def _foot(look: Look, width: int) -> Text:
    keys = [f"{key} {panel}" for key, panel in KEYS.items()] if width >= 80 else ["0-5 panels"]
    words = "  ".join([*keys, "p go on" if look.paused else "p pause", "q quit"])
    return panels.name(f"PAUSED  {words}" if look.paused else words, "reverse" if look.paused else "dim")


def _summary(state: State) -> Text:
    standing = "draining" if state.draining else "ready" if state.ready else "not ready"
    words = [
        f"{standing}, configuration {state.version}",
        f"{state.calls:,.1f} calls/s",
        f"{state.tokens:,.0f} tokens/s",
        f"{state.throttled:,.1f} provider 429/s",
        f"{state.refused:,.1f} refused/s",
        f"{state.failed:,.1f} failed/s",
        f"{state.restarts} restarts",
    ]
    if state.ledger_up is not None:
        words.append(f"ledger {'up' if state.ledger_up else 'DOWN'}, {panels.size(state.ledger_lag_bytes)} behind")
    return Text("  ".join(words))


def _says_something(state: State, name: str) -> bool:
    """Beside others a panel without anything is left out."""
    if name == "queues":
        return any(queue.waiting for queue in state.queues)
    if name == "trouble":
        return bool(state.alarms or state.closed or state.dead_keys)
    return bool(getattr(state, name))


def _panel(state: State, name: str, width: int, most: int) -> RenderableType:
    match name:
        case "quotas":
            return panels.quotas(state.quotas, width, most)
        case "queues":
            return panels.queues(state.queues, width, most)
        case "tenants":
            return panels.tenants(state.tenants, width, most)
        case "trouble":
            return panels.trouble(state, width, most)
        case _:
            return panels.processes(state.processes, width, most)
