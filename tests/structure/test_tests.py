"""What holds for the tests themselves: each says what is true, and none sleeps."""

import ast
from pathlib import Path

import pytest

from tests.structure.house import SLEEPING

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.fixture(scope="module")
def nodes() -> list[tuple[str, ast.AST]]:
    return [
        (str(path.relative_to(ROOT)), node)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


@pytest.fixture(scope="module")
def sleepers(nodes: list[tuple[str, ast.AST]]) -> set[str]:
    return {name for name, node in nodes if sleeps(node)}


def sleeps(node: ast.AST) -> bool:
    """`time.sleep(…)` or `asyncio.sleep(…)` with anything but 0, which only lets others run."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) not in {"time.sleep", "asyncio.sleep", "sleep"}:
        return False
    return not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)


def test_every_test_says_what_is_true(nodes: list[tuple[str, ast.AST]]) -> None:
    """Every test function has a docstring."""
    silent = [
        f"{name}:{node.name}"
        for name, node in nodes
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_nothing_sleeps_without_a_reason(sleepers: set[str]) -> None:
    """A test that waits for time to pass is slow where it is right and wrong where it is fast."""
    assert sleepers - set(SLEEPING) == set()


def test_no_exception_is_stale(sleepers: set[str]) -> None:
    """What is named as sleeping still sleeps."""
    assert set(SLEEPING) - sleepers == set()
