"""The sources as they stand: which names there are in a module, and what each was given."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "tidegate"

Given = tuple[ast.expr, tuple[int | None, ...]]  # an expression, and which of its items: None = any of them
Blocks = tuple[int, ...]  # the lists of statements around a place, the outermost first


@dataclass(slots=True)
class Function:
    """A function or method, and what its local names are given."""

    module: "Module"
    node: ast.FunctionDef | ast.AsyncFunctionDef
    params: list[str]
    given: dict[str, list[Given]] = field(default_factory=dict)
    returned: list[ast.expr] = field(default_factory=list)  # what it may give back


@dataclass(slots=True)
class Module:
    """One file."""

    name: str
    tree: ast.Module
    given: dict[str, list[Given]] = field(default_factory=dict)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)  # of classes: how they are called
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    within: dict[ast.AST, Function] = field(default_factory=dict)  # the innermost function of each node
    calls: list[ast.Call] = field(default_factory=list)
    yields: list[ast.expr] = field(default_factory=list)
    blocks: dict[ast.AST, Blocks] = field(default_factory=dict)


Project = dict[str, Module]


def read(rooms: Sequence[str]) -> Project:
    """The modules of these rooms: folders or files below `src/tidegate`."""
    found: Project = {}
    for room in rooms:
        place = SOURCE / room
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            name = ".".join(("tidegate", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
            found[name] = module(name, ast.parse(path.read_text(encoding="utf-8")))
    return found


def module(name: str, tree: ast.Module) -> Module:
    """What a module has."""
    found = Module(name, tree)
    _look(tree, (), None, found)
    return found


def _look(top: ast.AST, around: Blocks, function: Function | None, module: Module) -> None:
    """Everything within a node, once."""
    for name in top._fields:
        value = getattr(top, name, None)
        for node in value if isinstance(value, list) else (value,):
            if isinstance(node, ast.AST):
                within = (*around, id(value)) if isinstance(node, ast.stmt | ast.ExceptHandler) else around
                _note(node, within, function, module)


def _note(node: ast.AST, around: Blocks, function: Function | None, module: Module) -> None:
    module.blocks[node] = around
    if function is not None:
        module.within[node] = function
    _given(node, function.given if function is not None else module.given)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        spelt = node.args
        params = [one.arg for one in (*spelt.posonlyargs, *spelt.args, *spelt.kwonlyargs)]
        function = Function(module, node, params[params[:1] in (["self"], ["cls"]) :])
        module.functions.setdefault(node.name, []).append(function)
    elif isinstance(node, ast.ClassDef):
        module.fields[node.name] = _fields(node)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for one in node.names:
            module.imported[one.asname or one.name] = (node.module, one.name)
    elif isinstance(node, ast.Call):
        module.calls.append(node)
    elif isinstance(node, ast.Yield | ast.Return) and node.value is not None and function is not None:
        (module.yields if isinstance(node, ast.Yield) else function.returned).append(node.value)
    _look(node, around, function, module)


def _fields(node: ast.ClassDef) -> list[str]:
    """The parameters of its `__init__`, or the fields of a record."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return [arg.arg for arg in (*one.args.args, *one.args.kwonlyargs)][1:]
    return [one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]


def _given(node: ast.AST, into: dict[str, list[Given]]) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _bind(target, node.value, (), into)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        _bind(node.target, node.value, (), into)
    elif isinstance(node, ast.For | ast.comprehension):
        _bind(node.target, node.iter, (None,), into)
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        into.setdefault(node.target.id, []).append((node.value, ()))


def _bind(target: ast.expr, value: ast.expr, at: tuple[int | None, ...], into: dict[str, list[Given]]) -> None:
    if isinstance(target, ast.Name):
        into.setdefault(target.id, []).append((value, at))
    elif isinstance(target, ast.Tuple):
        for index, item in enumerate(target.elts):
            _bind(item, value, (*at, index), into)
