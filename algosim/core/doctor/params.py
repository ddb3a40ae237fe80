"""Rules on what a strategy's module says of itself: ``PARAMS`` and ``NAME``."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING

from algosim.core.doctor.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "bad_name", "bad_params", "declared_params"]

_NOT_A_DICT = (
    *(ast.Constant, ast.JoinedStr, ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple, ast.GeneratorExp),
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)


def declared_params(code: Code) -> set[str] | None:
    """Return the names in ``PARAMS``, or None where they cannot be known without running the code."""
    names: set[str] = set()
    for value in code.definitions("PARAMS"):
        pairs = _pairs(code, value)
        if pairs is None:
            return None
        names |= {
            key.value for key, _ in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
    if any(_is_changed(code, node) for node in code.nodes):
        return None
    return names


def bad_params(code: Code) -> Iterator[Finding]:
    """Find ``PARAMS`` that is not a dict of names and JSON values."""
    for value in code.definitions("PARAMS")[-1:]:
        pairs = _pairs(code, value)
        if pairs is not None:
            yield from _bad_pairs(code, pairs)
        elif isinstance(value, _NOT_A_DICT):
            message = 'PARAMS must be a dict of names and values, for example PARAMS = {"window": 20}'
            yield code.error(value, "bad-params", message)
        elif value is not None:
            message = (
                'PARAMS is computed; write it out, PARAMS = {"window": 20}, so that it can be read unrun'
            )
            yield code.warning(value, "bad-params", message)


def bad_name(code: Code) -> Iterator[Finding]:
    """Find a ``NAME`` that is not text."""
    for value in code.definitions("NAME")[-1:]:
        text = isinstance(value, ast.JoinedStr) or _is_text(value)
        if isinstance(value, (*_NOT_A_DICT, ast.Dict)) and not text:
            yield code.warning(value, "bad-name", 'NAME should be text, for example NAME = "SMA Crossover"')


def _is_changed(code: Code, node: ast.AST) -> bool:
    """Whether ``PARAMS`` gets names after it was written."""
    if not isinstance(node, ast.Name) or node.id != "PARAMS":
        return False
    match code.parent[node]:
        case ast.Subscript(ctx=ast.Store()):
            return True
        case ast.Attribute(attr="update" | "setdefault" | "pop" | "clear"):
            return True
    return False


def _pairs(code: Code, value: ast.AST | None) -> list[tuple[ast.expr, ast.expr]] | None:
    """Return names and values of a dict that is written out, else None."""
    if isinstance(value, ast.Dict):
        keys = [key for key in value.keys if key is not None]
        return list(zip(keys, value.values, strict=True)) if len(keys) == len(value.keys) else None
    if isinstance(value, ast.Call) and code.builtin(value.func) == "dict" and not value.args:
        keywords = [keyword for keyword in value.keywords if keyword.arg is not None]
        if len(keywords) == len(value.keywords):
            return [(ast.copy_location(ast.Constant(word.arg), word.value), word.value) for word in keywords]
    return None


def _bad_pairs(code: Code, pairs: list[tuple[ast.expr, ast.expr]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for key, value in pairs:
        if not isinstance(key, ast.Constant):
            yield code.warning(key, "bad-params", "this name in PARAMS is computed; write it out as text")
            continue
        if not isinstance(key.value, str):
            yield code.error(
                key, "bad-params", 'names in PARAMS are text: write them in quotes, {"window": 20}'
            )
            continue
        shown = repr(cut(key.value))
        if key.value in seen:
            yield code.error(key, "bad-params", f"PARAMS has {shown} twice; only the last one counts")
        seen.add(key.value)
        fault = _value_fault(value)
        if fault == "computed":
            message = (
                f"the value of {shown} in PARAMS is computed; write it out, so that it can be read unrun"
            )
            yield code.warning(value, "bad-params", message)
        elif fault:
            yield code.error(
                value, "bad-params", f"the value of {shown} in PARAMS is {fault}; use a number or text"
            )


def _value_fault(value: ast.expr) -> str:
    """Return why JSON cannot write a value, ``"computed"`` if that cannot be seen, or ``""``."""
    stack: list[ast.AST] = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Constant):
            if fault := _constant_fault(part.value):
                return fault
        elif isinstance(part, (ast.List, ast.Tuple, ast.Dict, ast.BinOp, ast.UnaryOp)):
            stack += [child for child in ast.iter_child_nodes(part) if isinstance(child, ast.expr)]
        elif isinstance(part, (ast.Set, ast.SetComp, ast.GeneratorExp, ast.Lambda)):
            return "not a JSON value"
        else:
            return "computed"
    return ""


def _constant_fault(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else "not finite"
    return "" if value is None or isinstance(value, (int, str)) else "not a JSON value"


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


RULES = (bad_params, bad_name)
