"""What holds for the tests themselves: each says what is true, and none sleeps."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.structure.house import SLEEPING

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def sleeps(node: ast.AST) -> bool:
    """`time.sleep(…)` or `asyncio.sleep(…)` with anything but 0, which only lets others run."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) not in {"time.sleep", "asyncio.sleep", "sleep"}:
        return False
    return not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)


def test_every_test_says_what_is_true() -> None:
    """Every test function has a docstring."""
    silent = [
        f"{name}:{node.name}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_nothing_sleeps_without_a_reason() -> None:
    """A test that waits for time to pass is slow where it is right and wrong where it is fast."""
    found = {name for name, tree in trees() if any(sleeps(node) for node in ast.walk(tree))}
    assert found - set(SLEEPING) == set()


def test_no_exception_is_stale() -> None:
    """What is named as sleeping still sleeps."""
    found = {name for name, tree in trees() if any(sleeps(node) for node in ast.walk(tree))}
    assert set(SLEEPING) - found == set()
