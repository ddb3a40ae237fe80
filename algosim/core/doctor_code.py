"""A parsed source as the rules see it: all nodes, what each name means where it stands, and imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from algosim.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from algosim.core.doctor_text import Finding, Level, Text

__all__ = ["Code", "Function", "Scope", "arguments_of", "hint"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

MAX_DOTS = 5
"""Longest dotted name that is followed; the rules know none longer."""

MAX_WORD = 40
MAX_KNOWN = 100
"""Bounds of a suggestion: comparing words costs the product of their lengths."""

_SKIPPED = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


@dataclass(slots=True, eq=False)
class Scope:
    """The names that a module, function or class binds.

    Attributes
    ----------
    node : ast.AST
        The module, function or class.
    outer : Scope or None
    params : list of str
    stored : dict of str to list
        By name all values assigned to it, None where it is bound in another way.
    imports : dict of str to str
        By name the dotted name that it was imported from.
    defined : dict of str to list
        By name the functions and classes defined under it.
    yields : list of ast.AST
        The ``yield`` expressions of the function itself.
    """

    node: ast.AST
    outer: Scope | None = None
    params: list[str] = field(default_factory=list)
    stored: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    yields: list[ast.AST] = field(default_factory=list)

    def binds(self, name: str) -> bool:
        """Whether the name means something of this scope."""
        return name in self.params or name in self.stored or name in self.imports or name in self.defined

    def is_class(self) -> bool:
        """Whether functions inside cannot see these names."""
        return isinstance(self.node, ast.ClassDef)


class Code:
    """The facts about a source that the rules share; found in one walk without recursion.

    A block ``if __name__ == "__main__":`` is left out, since a strategy is never run as the main program.

    Attributes
    ----------
    nodes : list of ast.AST
        In the order of the source.
    parent : dict
        The node around each node.
    scope : dict
        The scope that each name stands in.
    inner : dict
        The scope of each function.
    module : Scope
    star : bool
        Whether any ``from ... import *`` may bind any name.
    """

    def __init__(self, tree: ast.Module, text: Text) -> None:
        self.text = text
        self.nodes: list[ast.AST] = []
        self.parent: dict[ast.AST, ast.AST] = {}
        self.scope: dict[ast.Name, Scope] = {}
        self.inner: dict[ast.AST, Scope] = {}
        self.module = Scope(tree)
        self.star = False
        self._walk(tree)

    def error(self, node: ast.AST, rule: str, message: str) -> Finding:
        """Return a finding at a node: the strategy cannot load or work."""
        return self._finding("error", node, rule, message)

    def warning(self, node: ast.AST, rule: str, message: str) -> Finding:
        """Return a finding at a node: the strategy would not replay, or this looks like a slip."""
        return self._finding("warning", node, rule, message)

    def binder(self, name: ast.Name) -> Scope | None:
        """Return the scope that gives a name its meaning; None for a built-in or unknown one."""
        scope: Scope | None = self.scope[name]
        start = scope
        while scope is not None:
            if (scope is start or not scope.is_class()) and scope.binds(name.id):
                return scope
            scope = scope.outer
        return None

    def builtin(self, node: ast.AST) -> str:
        """Return the name of the built-in that an expression names, or ``""``."""
        return node.id if isinstance(node, ast.Name) and self.binder(node) is None else ""

    def imported(self, node: ast.AST) -> str:
        """Return the full dotted name of an expression that starts at an import, or ``""``."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < MAX_DOTS:
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        scope = self.binder(node)
        if scope is None or node.id not in scope.imports or node.id in scope.stored or node.id in scope.params:
            return ""
        return ".".join([scope.imports[node.id], *reversed(parts)])

    def definitions(self, name: str) -> list[ast.AST | None]:
        """Return all that the module binds a name to; None stands for what cannot be known."""
        values: list[ast.AST | None] = [*self.module.defined.get(name, [])]
        for value in self.module.stored.get(name, []):
            same = self.module.defined.get(value.id) if isinstance(value, ast.Name) else None
            values += same or [value]
        return values + [None] * (name in self.module.imports)

    def _finding(self, level: Level, node: ast.AST, rule: str, message: str) -> Finding:
        line = getattr(node, "lineno", 1)
        column = self.text.column(line, getattr(node, "col_offset", 0))
        return self.text.finding(level, rule, message, line, column)

    def _walk(self, tree: ast.Module) -> None:
        stack: list[tuple[ast.AST, Scope]] = [(tree, self.module)]
        while stack:
            node, scope = stack.pop()
            self.nodes.append(node)
            self._bind(node, scope)
            inner = self._inner_scope(node, scope)
            body = _body_of(node) if inner is not scope else set()
            for child in reversed(list(_children(node))):
                self.parent[child] = node
                stack.append((child, inner if child in body else scope))

    def _inner_scope(self, node: ast.AST, scope: Scope) -> Scope:
        if isinstance(node, Function):
            self.inner[node] = Scope(node, scope, params=arguments_of(node))
            return self.inner[node]
        return Scope(node, scope) if isinstance(node, ast.ClassDef) else scope

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Name():
                self.scope[node] = scope
                if not isinstance(node.ctx, ast.Load):
                    scope.stored.setdefault(node.id, []).append(self._assigned(node))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.defined.setdefault(node.name, []).append(node)
            case ast.Import() | ast.ImportFrom():
                self._bind_imports(node, scope)
            case ast.Yield() | ast.YieldFrom():
                scope.yields.append(node)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                scope.stored.setdefault(name, []).append(None)

    def _assigned(self, name: ast.Name) -> ast.expr | None:
        around = self.parent[name]
        if isinstance(around, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            return around.value
        return None

    def _bind_imports(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        prefix = f"{'.' * node.level}{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            if alias.name == "*":
                self.star = True
                continue
            top = alias.name if alias.asname or prefix else alias.name.partition(".")[0]
            scope.imports[alias.asname or top] = prefix + top


def arguments_of(function: Function) -> list[str]:
    """Return the names of a function's parameters: the positional ones in order, then the others."""
    args = function.args
    others = [*args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    return [arg.arg for arg in (*args.posonlyargs, *args.args, *others)]


def hint(word: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` or ``""``, at a bounded cost."""
    return did_you_mean(word, list(known)[:MAX_KNOWN]) if len(word) <= MAX_WORD else ""


def _body_of(node: ast.AST) -> set[ast.AST]:
    body = getattr(node, "body", [])
    return set(body) if isinstance(body, list) else {body}


def _children(node: ast.AST) -> Iterator[ast.AST]:
    skipped = set(node.body) if isinstance(node, ast.If) and _is_main_test(node.test) else set()
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SKIPPED) and child not in skipped:
            yield child


def _is_main_test(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]):
            return True
    return False
