"""Where the gate says a sentence that the control room shows, and every template that stands there.

A call that has a parameter `remedy` says one by it, and by `message` or `problem` beside it; other places are named.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from pydantic_core._pydantic_core import list_all_errors

from tests.structure.told import project
from tests.structure.told.project import Function, Module
from tests.structure.told.sentences import Param, Reader, Scope, Text, argument, params, says, whole

ROOMS: Final = (
    "config", "control", "line", "edge", "drills", "policy/drills", "policy/tenant_limits", "alerts", "dryrun", "jobs",
    "model", "worker/playing.py", "worker/drills.py", "supervisor", "wire",
)  # fmt: skip
# Rooms that speak to programs and terminals only, and speech that is told apart by a code.
_OTHERS: Final = (
    "tidegate.config.convert", "tidegate.alerts.texts", "tidegate.control.metrics.exposition", "tidegate.jobs.batches",
    "tidegate.jobs.desk", "tidegate.jobs.hooks", "tidegate.config.edit.__main__", "tidegate.edge.idempotency",
    "tidegate.edge.access.proofs", "tidegate.edge.access.tickets", "tidegate.edge.access.revoking",
    "tidegate.edge.access.door", "tidegate.edge.misdirected", "tidegate.edge.errands", "tidegate.wire.head",
    "tidegate.edge.caching.embeddings",
)  # fmt: skip
_SPOKEN: Final = ("message", "problem", "remedy", "meaning")
# Calls beside those with a `remedy`: what they are called, their parameters, which of them are sentences.
_CALLS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "Problem": (("kind", "message"), ("message",)),
    "judged": (("expectation", "met", "why"), ("why",)),
    "Told": ((), ("problem",)),
    "Proof": (("state", "permille", "why"), ("why",)),
    "Away": (("message",), ("message",)),
    "NotSent": (("message",), ("message",)),
    "Unwritable": (("message",), ("message",)),
    "Overrun": (("message",), ("message",)),
    "Standing": ((), ("why",)),
    "Unmatched": (("kind", "name", "what"), ("kind", "what")),
    "Found": (("value", "how"), ("how",)),
    "TooLarge": (("message",), ("message",)),
    "reason": (("word", "said"), ("said",)),
    "Likeness": (("value", "how"), ("how",)),
    "Short": (("kind", "who", "what"), ("what",)),
    "Refusal": (("kind", "message"), ("message",)),  # in dry runs: why, and by which rule
    "Failure": (("reason", "message"), ("message",)),
    "TransportError": (("message",), ("message",)),
    "NoGroups": (("message",), ("message",)),
    "_Unfit": (("word", "message"), ("message",)),
    "_give_up": (("claimed", "why"), ("why",)),
    "_void": (("one", "why"), ("why",)),
}
# Functions that yield or return sentences: which item of a tuple is one; None = the whole.
_YIELDS: Final[dict[tuple[str, str], tuple[int | None, ...]]] = {
    ("tidegate.dryrun.notes", "_notes"): (None,),
    ("tidegate.policy.drills.checks", "*"): (2,),
    ("tidegate.control.policy.file", "why_not"): (None,),
    ("tidegate.policy.drills.expect", "*"): (None,),
    ("tidegate.policy.tenant_limits.short", "whose"): (None,),
    ("tidegate.policy.tenant_limits.budget", "called"): (None,),
    ("tidegate.line.target", "unfit"): (None,),
}
# What stands behind a name and a blank.
_OF_A_NAME: Final = frozenset({("tidegate.line.target", "unfit")})
# What pydantic says of a body or a query: by its own kinds of errors.
_PYDANTIC: Final = (
    "missing", "extra_forbidden", "json_invalid", "model_type", "model_attributes_type", "dict_type", "list_type",
    "string_type", "string_too_short", "string_too_long", "string_pattern_mismatch", "bool_type", "bool_parsing",
    "int_type", "int_parsing", "int_from_float", "float_type", "float_parsing", "finite_number", "greater_than",
    "greater_than_equal", "less_than", "less_than_equal", "literal_error", "too_short", "too_long", "datetime_type",
    "datetime_parsing", "datetime_from_date_parsing", "timezone_aware", "decimal_type", "decimal_parsing",
    "decimal_max_places", "decimal_max_digits",
)  # fmt: skip
_DEEPEST: Final = 4  # callers of callers


class Places:
    """All places of one tree, read once."""

    def __init__(self) -> None:
        self.project = project.read(ROOMS)
        self._reader = Reader(self.project)
        self._spoken = dict(_CALLS)
        self._functions: dict[int, Function] = {}
        for module in self.project.values():
            for name, fields in module.fields.items():
                self._note(name, fields)
            for name, found in module.functions.items():
                for function in found:
                    self._functions[id(function)] = function
                    self._note(name, function.params)
        self._calls = self._callers()
        self.unknown: set[str] = set()

    def _note(self, name: str, parameters: list[str]) -> None:
        if "remedy" in parameters and name != "__init__" and name not in _CALLS:
            self._spoken[name] = (tuple(parameters), tuple(one for one in parameters if one in _SPOKEN))

    def templates(self) -> dict[str, list[str]]:
        """Every template with `{0}`, `{1}` for its values, and where it is said."""
        found: dict[str, set[str]] = {}
        for text, where in self._texts():
            if says([text]):
                found.setdefault(template(text), set()).add(where)
            else:
                self.unknown.add(where)
        for kind in list_all_errors():
            if kind["type"] in _PYDANTIC:
                first, *rest = re.split(r"\{(\w+)\}", kind["message_template_python"])
                parts = (None if at % 2 == 0 else one for at, one in enumerate(rest))
                said = (first[:1].lower() + first[1:], *parts)  # as control/admin/faults.py writes it
                found.setdefault(template(whole(said)), set()).add("pydantic")
        return {text: sorted(found[text]) for text in sorted(found)}

    def _texts(self) -> Iterator[tuple[Text, str]]:
        for name, module in self.project.items():
            if name.startswith(_OTHERS):
                continue
            for expr, function in self._said(module):
                where = f"{_file(name)}:{expr.lineno}"
                for text in self._reader.texts(expr, Scope(module, function)):
                    for filled in self._filled(text, 0):
                        named = function is not None and (name, function.node.name) in _OF_A_NAME
                        yield whole((None, " ", *filled) if named else filled), where
        yield from ((text, _file(name)) for text, name in self._reader.parts)

    def _said(self, module: Module) -> Iterator[tuple[ast.expr, Function | None]]:
        """Each expression that is a sentence, with the function in which it stands."""
        for call in module.calls:
            function = module.within.get(call)
            yield from ((one, function) for one in self._of_call(call, module, function))
        for value in (*module.yields, *(one for some in module.functions.values() for f in some for one in f.returned)):
            if (function := module.within.get(value)) is not None:
                yield from ((one, function) for one in self._of_yield(value, module, function))

    def _of_call(self, call: ast.Call, module: Module, function: Function | None) -> Iterator[ast.expr]:
        func = call.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        name = module.imported.get(name, ("", name))[1]
        if name == "PydanticCustomError" or name not in self._spoken:
            return
        parameters, spoken = self._spoken[name]
        for one in spoken:
            value = argument(call, parameters, one)
            if value is not None:
                yield value
        star = next((at for at, one in enumerate(call.args) if isinstance(one, ast.Starred)), None)
        if star is not None and isinstance(starred := call.args[star], ast.Starred):
            for items, _ in self._reader.tuples(starred.value, Scope(module, function)):
                yield from (
                    one for at, one in enumerate(items, star) if parameters[at : at + 1] and parameters[at] in spoken
                )

    def _of_yield(self, value: ast.expr, module: Module, function: Function) -> Iterator[ast.expr]:
        annotation = ast.unparse(function.node.returns) if function.node.returns is not None else ""
        name = function.node.name
        items = _YIELDS.get((module.name, name)) or _YIELDS.get((module.name, "*"), ())
        if "Advice" in annotation:
            items = (1, 2)
        for at in items:
            if at is None and annotation in ("str", "Iterator[str]"):
                yield value
            elif at is not None and isinstance(value, ast.Tuple) and at < len(value.elts):
                yield value.elts[at]

    def _filled(self, text: Text, depth: int) -> Iterator[Text]:
        """With what the callers of its function give it."""
        asked = params(text)
        if not asked:
            yield text
            return
        function = self._functions[asked[0].function]
        named = function.node.name in self._spoken and len(text) == 1
        calls = [] if depth > _DEEPEST or named else self._calls.get(id(function), [])
        if not calls:
            if not named:
                yield whole(tuple(None if isinstance(part, Param) else part for part in text))
            return
        for call, scope in calls:
            for filled in self._reader.fill(text, function, call, scope):
                yield from self._filled(filled, depth + 1)

    def _callers(self) -> dict[int, list[tuple[ast.Call, Scope]]]:
        """The calls of each function, by its `id`."""
        found: dict[int, list[tuple[ast.Call, Scope]]] = {}
        for module in self.project.values():
            for call in module.calls:
                scope = Scope(module, module.within.get(call))
                for function in self._reader.called(call, scope):
                    found.setdefault(id(function), []).append((call, scope))
        return found


def _file(module: str) -> str:
    return module.removeprefix("tidegate.").replace(".", "/") + ".py"


def template(text: Text) -> str:
    """As the catalogue writes it."""
    number = iter(range(100))
    return "".join(part if isinstance(part, str) else f"{{{next(number)}}}" for part in text)
