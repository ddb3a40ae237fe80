"""The names that a module, a function or a class binds."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Function", "Scope", "Variable", "arguments_of"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True, eq=False)
class Scope:
    """The names that a module, function or class binds.

    Attributes
    ----------
    node : ast.AST
        The module, function or class.
    outer : Scope or None
    depth : int
        How many scopes are around it.
    params : dict
        The names of a function's parameters.
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
    depth: int = 0
    params: dict[str, None] = field(default_factory=dict)
    stored: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    yields: list[ast.AST] = field(default_factory=list)

    def binds(self, name: str) -> bool:
        """Whether the name means something of this scope."""
        return name in self.params or name in self.stored or name in self.imports or name in self.defined

    def is_parameter(self, name: str) -> bool:
        """Whether the name is a parameter that keeps the value it was called with."""
        return name in self.params and name not in self.stored

    def is_import(self, name: str) -> bool:
        """Whether the name is an import and nothing else."""
        return name in self.imports and name not in self.stored and name not in self.params

    def is_class(self) -> bool:
        """Whether functions inside cannot see these names."""
        return isinstance(self.node, ast.ClassDef)


Variable: TypeAlias = tuple[Scope, str]
"""A name of a scope."""


def arguments_of(function: Function) -> list[str]:
    """Return the names of a function's parameters: the positional ones in order, then the others."""
    args = function.args
    others = [*args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    return [arg.arg for arg in (*args.posonlyargs, *args.args, *others)]
