"""Rules on the names of ``ctx``: what it does not have, what needs parentheses, what arguments fit."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from algosim.core.doctor.api import CALLS, INDICATORS, VALUES, Use, bind, uses_of
from algosim.core.doctor.text import cut, hint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from inspect import Signature

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.roles import Roles
    from algosim.core.doctor.scope import Variable
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "attributes", "renamed_numbers"]

_NUMBERS = tuple(name for name, signature in CALLS.items() if not signature.parameters)
_TAKE_NUMBERS = ("abs", "bool", "float", "int", "max", "min", "round", "sum")
_IDENTITY = (ast.Is, ast.IsNot, ast.In, ast.NotIn)

_NOT_CALLED = {
    "indicator": "ctx.indicator is not called itself: ctx.indicator.SMA(20)",
    "rng": "ctx.rng is not called itself: ctx.rng.normal(), ctx.rng.random()",
}


def attributes(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find names that ``ctx`` does not have, and names that are not used as what they are."""
    uses = list(uses_of(code, roles))
    own = sorted({use.node.attr for use in uses if not isinstance(use.node.ctx, ast.Load)})
    mine = set(own)
    known = [*CALLS, *VALUES, *own]
    for use in uses:
        name = use.node.attr
        if not isinstance(use.node.ctx, ast.Load):
            if name in CALLS or name in VALUES:
                message = f"this hides ctx.{name} of the engine; choose another name"
                yield code.warning(use.node, "hidden-name", message)
        elif name in mine or name.startswith("_"):
            continue
        elif name in CALLS:
            yield from _engine_call(code, use)
        elif name in VALUES:
            yield from _engine_value(code, use)
        else:
            yield from _unknown(code, use, hint(name, known), closed=roles.ctx_is_closed)


def renamed_numbers(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find ``pos = ctx.position`` where `pos` is then used as a number."""
    renamed = _renamed(code, roles)
    words = {word for _, word in renamed}
    called: set[Variable] = set()
    counted: set[Variable] = set()
    for node in code.nodes:
        if isinstance(node, ast.Name) and node.id in words:
            scope = code.binder(node)
            if scope is not None and code.call_of(node) is not None:
                called.add((scope, node.id))
            elif scope is not None and _is_number(code, node):
                counted.add((scope, node.id))
    for variable, number in renamed.items():
        if variable in counted and variable not in called:
            yield _needs_parentheses(code, number)


def _renamed(code: Code, roles: Roles) -> dict[Variable, ast.Attribute]:
    """Return the variables whose only value is a call of ``ctx`` that was not called."""
    renamed: dict[Variable, ast.Attribute] = {}
    for use in uses_of(code, roles):
        around = code.parent[use.node]
        if use.node.attr in _NUMBERS and isinstance(around, ast.Assign):
            for target in around.targets:
                if isinstance(target, ast.Name) and len(code.scope[target].stored[target.id]) == 1:
                    renamed[code.scope[target], target.id] = use.node
    return renamed


def _engine_call(code: Code, use: Use) -> Iterator[Finding]:
    signature = CALLS[use.node.attr]
    if use.call is not None:
        yield from _wrong_arguments(code, use.call, f"ctx.{use.node.attr}", signature)
    elif (use.node.attr in _NUMBERS and _is_number(code, use.node)) or _is_taken_apart(code, use.node):
        yield _needs_parentheses(code, use.node)


def _engine_value(code: Code, use: Use) -> Iterator[Finding]:
    around = code.parent[use.node]
    if use.call is not None:
        yield code.error(use.node, "not-a-call", _NOT_CALLED[use.node.attr])
    elif use.node.attr == "indicator" and isinstance(around, ast.Attribute):
        made = code.call_of(around)
        if around.attr in INDICATORS and made is not None:
            yield from _wrong_arguments(code, made, f"ctx.indicator.{around.attr}", INDICATORS[around.attr])
        elif around.attr not in INDICATORS and made is not None:
            near = hint(around.attr, INDICATORS) or f"; there are {', '.join(INDICATORS)}"
            message = f"there is no indicator {cut(around.attr)!r}{near}"
            yield code.error(use.node, "unknown-indicator", message)


def _unknown(code: Code, use: Use, near: str, *, closed: bool) -> Iterator[Finding]:
    name = cut(use.node.attr)
    if use.call is not None and (closed or near):
        report = code.error if closed else code.warning
        yield report(use.node, "unknown-call", f"ctx has no call {name!r}{near}")
    elif use.call is None and closed:
        report = code.error if near else code.warning
        yield report(use.node, "unknown-attribute", f"nothing sets ctx.{name}{near}")


def _wrong_arguments(code: Code, call: ast.Call, name: str, signature: Signature) -> Iterator[Finding]:
    fault = bind(signature, call)
    if isinstance(fault, str):
        yield code.error(call, "wrong-arguments", f"{name}{signature}: {cut(fault, 80)}")


def _needs_parentheses(code: Code, node: ast.Attribute) -> Finding:
    call = f"ctx.{node.attr}{CALLS[node.attr]}"
    return code.error(
        node, "missing-parentheses", f"ctx.{node.attr} is a call, write its parentheses: {call}"
    )


def _is_number(code: Code, node: ast.expr) -> bool:
    """Whether an expression stands where a number is counted with, compared or tested."""
    match code.parent[node]:
        case ast.Compare(ops=ops):
            return not all(isinstance(op, _IDENTITY) for op in ops)
        case ast.BinOp(op=op, left=left):
            return not (isinstance(op, ast.Mod) and isinstance(left, (ast.Constant, ast.JoinedStr)))
        case ast.UnaryOp() | ast.AugAssign() | ast.BoolOp():
            return True
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            return test is node
        case ast.Call(func=func):
            return func is not node and code.builtin(func) in _TAKE_NUMBERS
    return False


def _is_taken_apart(code: Code, node: ast.expr) -> bool:
    """Whether an expression is indexed, iterated over, asked for an attribute, or a statement of its own."""
    match code.parent[node]:
        case ast.Subscript(value=value):
            return value is node
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is node
        case ast.Attribute(attr=name):
            return not name.startswith("__")
    return isinstance(code.parent[node], ast.Expr)


RULES = (attributes, renamed_numbers)
