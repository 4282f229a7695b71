"""What is asked of the gate stays as it was asked: who writes those fields of a call after intake is named here."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "tidegate"
ROOMS = ("edge", "line", "worker", "drills")  # dryrun/ makes calls of its own
ASKED = {
    "affinity", "arrived", "body", "client", "client_retry", "deadline", "dialect", "forward", "id", "job", "kind",
    "method", "on_cut", "output", "path", "prefix", "request", "shape", "size", "tag", "tenant", "trace", "user",
}  # fmt: skip
WRITERS = {
    "edge/plans.py": {"deadline"},  # intake: its plan's, where the client names none
    "edge/tracing.py": {"forward", "request", "trace"},  # intake
    "line/acquaint.py": {"affinity", "prefix"},  # intake
    "edge/caching/inputs.py": {"body", "size"},  # inputs that are known are not asked for
    "line/ladder.py": {"output"},  # it is given less
    "line/rescue.py": {"body", "deadline"},  # while it is asked again, and then taken back
}


def written(path: Path) -> Iterator[str]:
    """The fields of a call, or of its shape, that a module assigns to."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if owner in {"call", "_call", "shape"}:
                yield node.attr


def test_a_call_stays_as_it_was_asked() -> None:
    """Nobody but those who are named here writes what a client asked for, and they write no more than that."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            if asked := ASKED.intersection(written(path)):
                found[str(path.relative_to(SOURCE))] = asked
    assert found == WRITERS
