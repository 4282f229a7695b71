"""What an expression may say: each text with holes where values stand."""

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.structure.told.project import Function, Given, Module, Project

_MOST = 24  # texts of one expression; what may say more than that is a hole
_DEEPEST = 12
_UNPACKED = 4  # names that a comprehension is unpacked to, at most
_LETTERS = re.compile(r"[A-Za-z]{2}")
_SPLIT = 2  # sentences that may stand in the place of a part: so many, and each is a text of its own
_OPAQUE = frozenset({"shown", "dotted", "told", "listed", "said", "label", "written", "Name"})  # what tells values
_OBJECTS = {"document": "tidegate.config.source"}  # what a name is an object of, wherever it is used
_FIELD = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Param:
    """What the caller of a function gave it."""

    function: int  # `id` of it
    name: str


Part = str | Param | None  # None: a value
Text = tuple[Part, ...]
HOLE: Text = (None,)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands."""

    module: Module
    function: Function | None = None
    depth: int = 0

    def deeper(self) -> "Scope":
        """One step on the way to what it says."""
        return Scope(self.module, self.function, self.depth + 1)


class Reader:
    """Reads the expressions of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._looked: list[int] = []  # what is being read, by `id`
        self.parts: list[tuple[Text, str]] = []  # sentences that stand in holes of others, and in which module

    def texts(self, expr: ast.expr, scope: Scope) -> list[Text]:
        """All that it may say; `HOLE` where nobody can tell."""
        if scope.depth > _DEEPEST:
            return [HOLE]
        found = list(dict.fromkeys(whole(text) for text in self._read(expr, scope.deeper())))
        return found if 0 < len(found) <= _MOST else [HOLE]

    def _read(self, expr: ast.expr, scope: Scope) -> Iterable[Text]:
        if isinstance(expr, ast.Constant):
            return [(expr.value,)] if isinstance(expr.value, str) else [HOLE]
        if isinstance(expr, ast.IfExp | ast.BoolOp | ast.NamedExpr):
            return [text for one in _either(expr) for text in self.texts(one, scope)]
        if isinstance(expr, ast.Name):
            return self._name(expr, scope)
        if isinstance(expr, ast.Call):
            return self._call(expr, scope)
        if isinstance(expr, ast.Subscript):
            if isinstance(expr.slice, ast.Slice):
                return self.texts(expr.value, scope)
            return [text for value in self._inner(expr.value, scope) for text in self.texts(*value)] or [HOLE]
        parts = self._parts(expr, scope)
        return self._joined(parts) if parts else [HOLE]

    def _parts(self, expr: ast.expr, scope: Scope) -> list[list[Text]]:
        """Of a text that is put together."""
        if isinstance(expr, ast.JoinedStr | ast.Tuple):
            return [self._part(one, scope) for one in (expr.values if isinstance(expr, ast.JoinedStr) else expr.elts)]
        if isinstance(expr, ast.BinOp) and isinstance(expr.op, ast.Add):
            return [self.texts(one, scope) for one in (expr.left, expr.right)]
        return []

    def _part(self, expr: ast.expr, scope: Scope) -> list[Text]:
        """A part of a longer text: words are read, values stay holes."""
        if isinstance(expr, ast.Constant):
            return self.texts(expr, scope)
        if isinstance(expr, ast.Starred):
            return [HOLE]
        inner = expr.value if isinstance(expr, ast.FormattedValue) else expr
        if isinstance(expr, ast.FormattedValue) and expr.format_spec is not None:
            return [HOLE]
        texts = self.texts(inner, scope)
        if any(params(text) for text in texts):
            return texts
        spoken = [text for text in texts if any(" " in part for part in literals(text))]
        if len(spoken) > _SPLIT or isinstance(inner, ast.Subscript):
            self.parts += [(text, scope.module.name) for text in spoken]
            return [HOLE]
        return texts if says(texts) and (spoken or not isinstance(inner, ast.Name)) else [HOLE]

    def _joined(self, parts: Sequence[list[Text]]) -> Iterator[Text]:
        for chosen in itertools.islice(itertools.product(*parts), _MOST + 1):
            yield tuple(piece for text in chosen for piece in text)

    def _name(self, expr: ast.Name, scope: Scope) -> list[Text]:
        function, name = scope.function, expr.id
        if function is not None and name in function.given:
            return [text for one in latest(function.given[name], expr, scope) for text in self._once(one, scope)]
        if function is not None and name in function.params:
            return [(Param(id(function), name),)]
        found = self._constant(name, scope)
        return [text for one, where in found for text in self._at(one, where)] or [HOLE]

    def _once(self, given: Given, scope: Scope) -> list[Text]:
        """What a name was given; a value where that is made of the name itself."""
        if id(given[0]) in self._looked:
            return [HOLE]
        self._looked.append(id(given[0]))
        texts = self._at(given, scope)
        self._looked.pop()
        return texts

    def _constant(self, name: str, scope: Scope) -> list[tuple[Given, Scope]]:
        module = scope.module
        if name in module.given:
            return [(one, Scope(module, None, scope.depth)) for one in module.given[name]]
        home, original = module.imported.get(name, ("", ""))
        other = self._project.get(home)
        return self._constant(original, Scope(other, None, scope.depth + 1)) if other is not None else []

    def _at(self, given: Given, scope: Scope) -> list[Text]:
        places = [(given[0], scope)]
        for index in given[1]:
            places = [one for expr, where in places for one in self._items(expr, where, index)]
        return [text for expr, where in places for text in self.texts(expr, where)] or [HOLE]

    def tuples(self, expr: ast.expr, scope: Scope) -> list[tuple[list[ast.expr], Scope]]:
        """The tuples and lists that it may be."""
        if scope.depth > _DEEPEST:
            return []
        scope = scope.deeper()
        if isinstance(expr, ast.Tuple | ast.List):
            return [([item for one in expr.elts for item in self._spread(one, scope)], scope)]
        if isinstance(expr, ast.GeneratorExp | ast.ListComp):
            return [([expr.elt] * _UNPACKED, scope)]
        if isinstance(expr, ast.IfExp | ast.BoolOp | ast.NamedExpr):
            return [pair for one in _either(expr) for pair in self.tuples(one, scope)]
        if isinstance(expr, ast.Name):
            local = scope.function.given.get(expr.id, []) if scope.function is not None else []
            local = latest(local, expr, scope)
            found = [(one, scope) for one in local] or self._constant(expr.id, scope)
            return [pair for (value, at), where in found if not at for pair in self.tuples(value, where)]
        if isinstance(expr, ast.Call):
            returned = [(one, Scope(f.module, f, scope.depth)) for f in self.called(expr, scope) for one in f.returned]
            held = [*self._values(expr.func.value, scope)] if _gets(expr) else []
            defaults = [(one, scope) for one in expr.args[1:]] if _gets(expr) else []
            return [pair for value, where in (*returned, *held, *defaults) for pair in self.tuples(value, where)]
        if isinstance(expr, ast.Subscript):
            return [pair for value, where in self._inner(expr.value, scope) for pair in self.tuples(value, where)]
        return []

    def _spread(self, expr: ast.expr, scope: Scope) -> list[ast.expr]:
        """An item of a tuple; the items of one that stands in it with a star."""
        if not isinstance(expr, ast.Starred):
            return [expr]
        return next((items for items, _ in self.tuples(expr.value, scope)), [expr])

    def _inner(self, expr: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """What a subscript of it may be."""
        return self._values(expr, scope) or self._items(expr, scope, None)

    def _items(self, expr: ast.expr, scope: Scope, index: int | None) -> list[tuple[ast.expr, Scope]]:
        found = self.tuples(expr, scope)
        if index is None:
            return [(one, where) for items, where in found for one in items]
        return [(items[index], where) for items, where in found if index < len(items)]

    def _values(self, expr: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """What a dictionary of texts holds."""
        if isinstance(expr, ast.Dict):
            return [(value, scope) for value in expr.values]
        if isinstance(expr, ast.Name):
            found = self._constant(expr.id, scope)
            return [pair for (value, at), where in found if not at for pair in self._values(value, where)]
        return []

    def _call(self, call: ast.Call, scope: Scope) -> list[Text]:
        func = call.func
        if (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) in _OPAQUE:
            return [HOLE]
        if isinstance(func, ast.Attribute) and func.attr in ("format", "format_map"):
            return [_formatted(text) for text in self.texts(func.value, scope)]
        if _gets(call):
            held = [text for value in self._values(func.value, scope) for text in self.texts(*value)]
            return [*held, *(text for one in call.args[1:] for text in self.texts(one, scope))] if held else [HOLE]
        found: list[Text] = []
        for function in self.called(call, scope):
            inner = Scope(function.module, function, scope.depth)
            for one in function.returned:
                found += [
                    filled for text in self.texts(one, inner) for filled in self.fill(text, function, call, scope)
                ]
        return found if says(found) else [HOLE]

    def called(self, call: ast.Call, scope: Scope) -> list[Function]:
        """Which functions a call means, as far as their names tell."""
        func = call.func
        if isinstance(func, ast.Name):
            home, original = scope.module.imported.get(func.id, ("", ""))
            if home in self._project:
                return self._project[home].functions.get(original, [])
            return scope.module.functions.get(func.id, [])
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            if func.value.id == "self":
                return scope.module.functions.get(func.attr, [])
            home, original = scope.module.imported.get(func.value.id, ("", ""))
            module = self._project.get(_OBJECTS.get(func.value.id) or f"{home}.{original}")
            return module.functions.get(func.attr, []) if module is not None else []
        return []

    def fill(self, text: Text, function: Function, call: ast.Call, scope: Scope) -> list[Text]:
        """A text of `function` with what `call` gives it."""
        parts: list[list[Text]] = []
        for part in text:
            if isinstance(part, Param) and part.function == id(function):
                value = argument(call, function.params, part.name)
                default = _default(function, part.name)
                where = scope
                if value is None and default is not None:
                    value, where = default, Scope(function.module, None, scope.depth)
                found = self.texts(value, where) if value is not None else [HOLE]
                parts.append(found)
            else:
                parts.append([(part,)])
        return [whole(one) for one in self._joined(parts)]


def latest(given: Sequence[Given], use: ast.expr, scope: Scope) -> Sequence[Given]:
    """What a name was given last before it is used: what is sure to come before hides what came earlier."""
    blocks = scope.module.blocks
    before = [one for one in given if one[0].lineno <= use.lineno and not _holds(one[0], use)]
    around = blocks.get(use, ())
    sure = [one[0].lineno for one in before if around[: len(at := blocks.get(one[0], ()))] == at]
    return [one for one in before if one[0].lineno >= max(sure, default=0)] or given


def argument(call: ast.Call, params: Sequence[str], name: str) -> ast.expr | None:
    """What a call gives for a parameter."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    index = params.index(name) if name in params else -1
    plain = next((at for at, one in enumerate(call.args) if isinstance(one, ast.Starred)), len(call.args))
    return call.args[index] if 0 <= index < plain else None


def _default(function: Function, name: str) -> ast.expr | None:
    spelt = function.node.args
    positional = [one.arg for one in (*spelt.posonlyargs, *spelt.args)]
    pairs = dict(zip(reversed(positional), reversed(spelt.defaults), strict=False))
    pairs |= {one.arg: value for one, value in zip(spelt.kwonlyargs, spelt.kw_defaults, strict=True) if value}
    return pairs.get(name)


def _holds(whole: ast.expr, part: ast.expr) -> bool:
    """Whether it stands within it."""
    first, last = (whole.lineno, whole.col_offset), (whole.end_lineno or 0, whole.end_col_offset or 0)
    return first <= (part.lineno, part.col_offset) < last


def _either(expr: ast.IfExp | ast.BoolOp | ast.NamedExpr) -> list[ast.expr]:
    """What it may be."""
    if isinstance(expr, ast.BoolOp):
        return expr.values
    return [expr.body, expr.orelse] if isinstance(expr, ast.IfExp) else [expr.value]


def _gets(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "get" and bool(call.args)


def _formatted(text: Text) -> Text:
    """`{name}` in a text that is formatted is a hole."""
    parts: list[Part] = []
    for part in text:
        if not isinstance(part, str):
            parts.append(part)
            continue
        parts += [None if _FIELD.fullmatch(piece) else piece for piece in re.split(r"(\{[^{}]*\})", part)]
    return tuple(parts)


def whole(text: Text) -> Text:
    """Holes that touch are one, and so are words."""
    parts: list[Part] = []
    for part in text:
        if part == "":
            continue
        if part is None and parts and parts[-1] is None:
            continue
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def literals(text: Text) -> list[str]:
    """Its words, without the values."""
    return [part for part in text if isinstance(part, str)]


def params(text: Text) -> list[Param]:
    """What of it a caller gives."""
    return [part for part in text if isinstance(part, Param)]


def says(texts: Iterable[Text]) -> bool:
    """Does any of them hold words?"""
    return any(_LETTERS.search(part) for text in texts for part in literals(text))
