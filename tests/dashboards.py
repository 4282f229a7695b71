"""The dashboards of `deploy/grafana`, as a test reads them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "grafana"
NAMES: Final = re.compile(r"\b((?:tidegate_|token_usage_rate)\w*)")
_VARIABLES: Final = {"$__rate_interval": "20s", "$instance": ".*", "$window": "1m", "$__range": "1m"}
_PARTS: Final = ("_bucket", "_sum", "_count", "_total")


class Query(NamedTuple):
    """One of a panel's."""

    board: str
    panel: str
    expression: str


def boards() -> dict[str, dict[str, Any]]:
    """All of them, by file."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that show something."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def queries() -> list[Query]:
    """Every query of every panel, its variables filled in."""
    return [
        Query(name, panel["title"], filled(target["expr"]))
        for name, board in boards().items()
        for panel in panels(board)
        for target in panel["targets"]
    ]


def filled(expression: str) -> str:
    """As Grafana asks it."""
    for variable, value in _VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def metrics(expression: str) -> set[str]:
    """The families that it names."""
    return {_family(name) for name in NAMES.findall(re.sub(r'"[^"]*"', "", expression))}


def _family(name: str) -> str:
    for part in _PARTS:
        name = name.removesuffix(part)
    return name
