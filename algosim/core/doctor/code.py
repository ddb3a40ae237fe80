"""A parsed source as the rules see it: all nodes, what each name means where it stands, and imports."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from algosim.core.doctor.scope import Function, Scope, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.text import Finding, Level, Text

__all__ = ["Code"]

MAX_DOTS = 5
"""Longest dotted name that is followed; the rules know none longer."""

MAX_SCOPES = 50
"""Functions and classes inside each other that are told apart; what is nested deeper counts as one."""

_SKIPPED = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


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
        start = scope = self.scope.get(name)
        while scope is not None:
            if scope.binds(name.id) and (scope is start or not scope.is_class()):
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
        if scope is None or not scope.is_import(node.id):
            return ""
        return ".".join([scope.imports[node.id], *reversed(parts)])

    @cached_property
    def references(self) -> list[tuple[ast.AST, str]]:
        """All expressions that name something imported, with its full dotted name."""
        named = [node for node in self.nodes if isinstance(node, ast.Name | ast.Attribute)]
        return [(node, name) for node in named if (name := self.imported(node))]

    def call_of(self, node: ast.AST) -> ast.Call | None:
        """Return the call of which an expression is what is called, if there is one."""
        around = self.parent.get(node)
        return around if isinstance(around, ast.Call) and around.func is node else None

    def definitions(self, name: str) -> list[ast.AST | None]:
        """Return all that the module binds a name to; None stands for what cannot be known."""
        defined, stored = self.module.defined, self.module.stored.get(name, [])
        values: list[ast.AST | None] = [*defined.get(name, [])]
        others = [value.id for value in stored if isinstance(value, ast.Name) and value.id in defined]
        for other in dict.fromkeys(others):
            values += defined[other]
        values += [value for value in stored if not (isinstance(value, ast.Name) and value.id in defined)]
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
        if not isinstance(node, Function | ast.ClassDef):
            return scope
        inner = Scope(node, scope, scope.depth + 1) if scope.depth < MAX_SCOPES else scope
        if isinstance(node, Function):
            self.inner[node] = inner
            inner.params |= dict.fromkeys(arguments_of(node))
        return inner

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
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
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
        case ast.Compare(
            left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
        ):
            return True
    return False
