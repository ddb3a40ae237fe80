"""Which names in a strategy's source are its ``ctx`` and its ``tick``, followed into helper functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from algosim.core.doctor.hooks import HOOKS, argument_fault, hook_functions
from algosim.core.doctor.scope import Function, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code

__all__ = ["Roles", "find_roles"]

Role: TypeAlias = Literal["ctx", "tick"]

_USUAL_NAMES = ("ctx", "context")


class Roles(NamedTuple):
    """Where ``ctx`` and ``tick`` are used.

    Attributes
    ----------
    ctx, tick : dict of ast.Name to None
        The names that stand for them, in order.
    ctx_is_closed : bool
        Whether every use of ``ctx`` is one of these names, so that nothing unseen adds attributes to it.
    """

    ctx: dict[ast.Name, None]
    tick: dict[ast.Name, None]
    ctx_is_closed: bool


class _Handover(NamedTuple):
    """A variable passed by a call to a parameter of a function in the same source."""

    argument: ast.Name
    source: Variable
    target: Variable


def find_roles(code: Code) -> Roles:
    """Return the names that are ``ctx`` and ``tick``.

    They start as the parameters of the hooks, under any name, and pass with each call to the parameters of
    functions in the same source. A module's function whose first parameter is called ``ctx`` as the hooks'
    is counted too, for it may be called in a way that cannot be followed.
    """
    handovers = list(_handovers(code))
    known = _follow(_first_roles(code), handovers)
    names: dict[Role, dict[ast.Name, None]] = {"ctx": {}, "tick": {}}
    words = {word for _, word in known}
    for node in code.nodes:
        if isinstance(node, ast.Name) and node.id in words:
            scope = code.binder(node)
            if scope is not None and (scope, node.id) in known:
                names[known[scope, node.id]][node] = None
    followed = {handover.argument for handover in handovers}
    closed = all(name in followed or _is_plain_use(code, name) for name in names["ctx"])
    return Roles(names["ctx"], names["tick"], closed)


def _first_roles(code: Code) -> dict[Variable, Role]:
    roles: dict[Variable, Role] = {}
    usual: set[str] = set()
    for hook, functions in hook_functions(code).items():
        for function in functions:
            if not argument_fault(function, hook):
                names = _positional(function)
                usual |= set(names[:1]).intersection(_USUAL_NAMES)
                for name, role in zip(names, HOOKS[hook], strict=False):
                    roles[code.inner[function], name] = "ctx" if role == "ctx" else "tick"
    for nodes in code.module.defined.values():
        for node in nodes:
            if isinstance(node, Function) and usual.intersection(_positional(node)[:1]):
                roles.setdefault((code.inner[node], _positional(node)[0]), "ctx")
    return {variable: role for variable, role in roles.items() if variable[0].is_parameter(variable[1])}


def _follow(roles: dict[Variable, Role], handovers: list[_Handover]) -> dict[Variable, Role]:
    onward: dict[Variable, list[Variable]] = {}
    for handover in handovers:
        onward.setdefault(handover.source, []).append(handover.target)
    known = dict(roles)
    waiting = list(roles)
    while waiting:
        variable = waiting.pop()
        for target in onward.get(variable, []):
            if target not in known:
                known[target] = known[variable]
                waiting.append(target)
    return known


def _handovers(code: Code) -> Iterator[_Handover]:
    for node in code.nodes:
        if isinstance(node, ast.Call):
            function = _called(code, node.func)
            if function is not None:
                yield from _handed_over(code, node, function)


def _handed_over(code: Code, call: ast.Call, function: Function) -> Iterator[_Handover]:
    pairs = list(zip(call.args, _positional(function), strict=False))
    pairs += [(keyword.value, keyword.arg) for keyword in call.keywords if keyword.arg is not None]
    inner = code.inner[function]
    for value, parameter in pairs:
        if isinstance(value, ast.Starred):
            return
        scope = code.binder(value) if isinstance(value, ast.Name) else None
        if isinstance(value, ast.Name) and scope is not None and inner.is_parameter(parameter):
            yield _Handover(value, (scope, value.id), (inner, parameter))


def _called(code: Code, callee: ast.expr) -> Function | None:
    """Return the one function that a call's name can mean, if the source defines it and nothing wraps it."""
    scope = code.binder(callee) if isinstance(callee, ast.Name) else None
    if scope is None or not isinstance(callee, ast.Name) or callee.id in scope.stored:
        return None
    nodes = scope.defined.get(callee.id, [])
    if len(nodes) == 1 and isinstance(nodes[0], ast.FunctionDef) and not nodes[0].decorator_list:
        return nodes[0]
    return None


def _positional(function: Function) -> list[str]:
    return [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]


def _is_plain_use(code: Code, name: ast.Name) -> bool:
    """Whether a name is used as ``ctx.something`` or only looked at, so that it goes nowhere else."""
    around = code.parent[name]
    if isinstance(around, ast.Attribute):
        return not around.attr.startswith("__")
    return isinstance(around, ast.Call) and code.builtin(around.func) in ("getattr", "hasattr")
