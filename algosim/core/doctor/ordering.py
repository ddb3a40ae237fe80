"""Rules on orders that are accidents of hashing or of memory."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "hash_order", "set_order"]

_SETS = ("set", "frozenset")
_IN_ORDER = ("list", "tuple", "enumerate", "iter", "zip", "map", "filter")
_ORDER_FREE = ("sorted", "set", "frozenset", "sum", "min", "max", "any", "all", "len")
_SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
_ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)

MAX_LOOKED_AT = 20
"""Elements and operands of a set, and assignments of a name, that are looked at."""


def set_order(code: Code) -> Iterator[Finding]:
    """Find loops over sets of strings; their order depends on how strings are hashed."""
    for node in code.nodes:
        for iterated in _iterated(code, node):
            if _may_be_string_set(code, iterated):
                message = "a set of strings has no order of its own; use a list, or sorted(...)"
                yield code.warning(iterated, "set-order", message)


def hash_order(code: Code) -> Iterator[Finding]:
    """Find decisions by ``id()`` or ``hash()``, which differ between processes."""
    for node in code.nodes:
        for part in _deciding(node):
            called = part.func if isinstance(part, ast.Call) else part
            if code.builtin(called) in ("id", "hash"):
                message = "id() and hash() differ between processes; decide by the values themselves"
                yield code.warning(part, "hash-order", message)


def _iterated(code: Code, node: ast.AST) -> list[ast.expr]:
    """Return the expressions that a node goes through in an order that can be seen."""
    match node:
        case ast.For(iter=iterated):
            return [iterated]
        case ast.comprehension(iter=iterated):
            around = code.parent[node]
            return [] if isinstance(around, ast.SetComp) or _is_order_free(code, around) else [iterated]
        case ast.Call(func=ast.Attribute(attr="join", value=ast.Constant()), args=args):
            return args
        case ast.Call(func=func, args=args) if code.builtin(func) in _IN_ORDER:
            return [] if _is_order_free(code, node) else args
        case ast.Starred(value=value):
            return [] if isinstance(code.parent[node], ast.Set) or _is_order_free(code, node) else [value]
    return []


def _is_order_free(code: Code, node: ast.AST) -> bool:
    """Whether an expression is handed to something whose result does not depend on the order."""
    around = code.parent[node]
    return isinstance(around, ast.Call) and code.builtin(around.func) in _ORDER_FREE


def _may_be_string_set(code: Code, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name):
        return _is_string_set(code, node)
    scope = code.binder(node)
    values = scope.stored.get(node.id, []) if scope is not None else []
    known = [value for value in values[:MAX_LOOKED_AT] if value is not None and _is_string_set(code, value)]
    return bool(known) and len(known) == len(values)


def _is_string_set(code: Code, node: ast.expr) -> bool:
    for _ in range(MAX_LOOKED_AT):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, _SET_OPERATORS):
            break
        if not isinstance(node.right, ast.BinOp) and _is_string_set(code, node.right):
            return True
        node = node.left
    if isinstance(node, ast.Call) and code.builtin(node.func) in _SETS and len(node.args) == 1:
        return _gives_strings(node.args[0])
    return isinstance(node, (ast.Set, ast.SetComp)) and _gives_strings(node)


def _gives_strings(node: ast.expr) -> bool:
    """Whether going through an expression is seen to give strings."""
    match node:
        case ast.Set(elts=elements) | ast.List(elts=elements) | ast.Tuple(elts=elements):
            return any(_is_string(element) for element in elements[:MAX_LOOKED_AT])
        case ast.SetComp(elt=element) | ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            return _is_string(element)
        case ast.Call(func=ast.Attribute(attr="split" | "rsplit" | "splitlines")):
            return True
    return _is_string(node)


def _is_string(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "str"
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _deciding(node: ast.AST) -> list[ast.expr]:
    """Return the operands by which a node orders or picks."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right) if any(
            isinstance(op, _ORDERING) for op in ops
        ):
            return [part for part in (left, *right) if isinstance(part, ast.Call)]
        case ast.BinOp(left=ast.Call() as left, op=ast.Mod()):
            return [left]
        case ast.keyword(arg="key", value=ast.Lambda(body=ast.Tuple(elts=parts))):
            return [part for part in parts if isinstance(part, ast.Call)]
        case ast.keyword(arg="key", value=ast.Lambda(body=ast.Call() as body)):
            return [body]
        case ast.keyword(arg="key", value=ast.Name() as name):
            return [name]
    return []


RULES = (set_order, hash_order)
