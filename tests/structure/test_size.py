"""Small rooms: what is long is named, with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.house import TOO_LONG

ROOT = Path(__file__).parents[2]
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 50


def sources() -> Iterator[Path]:
    for tree in ("src", "bench", "harness"):
        yield from sorted((ROOT / tree).rglob("*.py"))


def long_parts(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    name = str(path.relative_to(ROOT))
    if text.count("\n") > MOST_FILE_LINES:
        yield name
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                yield f"{name}:{node.name}"


@pytest.fixture(scope="module")
def found() -> set[str]:
    return {part for path in sources() for part in long_parts(path)}


def test_nothing_is_long_without_a_reason(found: set[str]) -> None:
    """Files have at most 400 lines and functions at most 50, but for those named."""
    assert found - set(TOO_LONG) == set()


def test_no_exception_is_stale(found: set[str]) -> None:
    """What is named as too long is still too long."""
    assert set(TOO_LONG) - found == set()
