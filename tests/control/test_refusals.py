"""Who said 429: every word that the gate has for it is counted as its own."""

import ast
import inspect

from tests.control.test_exposition import at, page
from tests.journal.facts import FixedClock
from tidegate.edge import errors, spending
from tidegate.edge.access import door
from tidegate.model.errors import Problem, ProblemKind
from tidegate.observe.observer import Observer
from tidegate.providers.dialects import DIALECTS, OPENAI


def at_the_door() -> set[str]:
    """The words under which the door turns away who comes too often, as its source has them."""
    found = set()
    for call in ast.walk(ast.parse(inspect.getsource(door))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_too_many":
            word = call.args[2]
            assert isinstance(word, ast.Constant)
            found.add(str(word.value))
    return found


def told(kind: ProblemKind) -> int:
    """The status that a client hears."""
    return errors.of_problem(Problem(kind, ""), DIALECTS[OPENAI]).status


def test_every_429_of_the_gate_is_counted_as_its_own() -> None:
    """The door's, a tenant's, the quota's; and nothing that is told with another status."""
    too_many = {kind for kind in ProblemKind if told(kind) == 429}
    words = at_the_door() | {kind.name.lower() for kind in too_many} | {spending.WORDS[kind] for kind in too_many}
    assert words >= {"address", "user", "failures", "over_quota", "tenant_limit", "tenant_exhausted"}
    observer = Observer(FixedClock())
    for word in words:
        observer.refused("", word)
    for other in (*(kind.name.lower() for kind in ProblemKind if kind not in too_many), "key", "signature", "nonces"):
        observer.refused("", other)
    assert page(observer)["tidegate_throttled_total", at(worker="0", origin="gate")] == len(words)
