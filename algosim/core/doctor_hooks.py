"""Rules on what a strategy's module defines: its hooks, ``PARAMS`` and ``NAME``."""

from __future__ import annotations

import ast
import math
from difflib import get_close_matches
from typing import TYPE_CHECKING

from algosim.core.doctor_code import MAX_WORD, Code, Function, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor_text import Finding

__all__ = ["HOOKS", "RULES", "declared_params", "hook_functions", "takes"]

HOOKS = {"init": ("ctx",), "on_tick": ("ctx", "tick"), "on_stop": ("ctx",)}
"""The hooks and their parameters; only ``on_tick`` must be there."""

_OTHER_NAMES = {
    "init": "__init__ initialize initialise oninit begin start onstart setup prepare",
    "on_tick": "tick ticks onbar onprice ondata onquote onevent onnext next step update handledata handletick",
    "on_stop": "stop end onend exit onexit onclose finish onfinish finalize finalise teardown shutdown",
}
"""What other frameworks and hasty fingers call them, without underscores and capitals."""

_HOOK_OF = {name.replace("_", ""): hook for hook, names in _OTHER_NAMES.items() for name in names.split()}
_HOOK_OF |= {hook.replace("_", ""): hook for hook in HOOKS}

_CALLABLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_NOT_CALLABLE = (ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.ListComp, ast.Set, ast.Tuple)


def hook_functions(code: Code) -> dict[str, list[Function]]:
    """Return the functions that stand for each hook, without those that a decorator may have changed."""
    return {
        hook: [
            node
            for node in code.definitions(hook)
            if isinstance(node, Function) and not getattr(node, "decorator_list", [])
        ]
        for hook in HOOKS
    }


def takes(function: Function, count: int) -> bool:
    """Whether a function can be called with so many arguments by position."""
    args = function.args
    names = len(args.posonlyargs) + len(args.args)
    fits = names - len(args.defaults) <= count and (count <= names or args.vararg is not None)
    return fits and all(default is not None for default in args.kw_defaults)


def declared_params(code: Code) -> set[str] | None:
    """Return the names in ``PARAMS``, or None where they cannot be known without running the code."""
    names: set[str] = set()
    for value in code.definitions("PARAMS"):
        pairs = _pairs(code, value)
        if pairs is None:
            return None
        names |= {key.value for key, _ in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    for node in code.nodes:
        around = code.parent.get(node)
        if not isinstance(node, ast.Name) or node.id != "PARAMS" or not isinstance(node.ctx, ast.Load):
            continue
        if not isinstance(around, ast.Subscript) or not isinstance(around.ctx, ast.Load):
            return None
    return names


def missing_hooks(code: Code) -> Iterator[Finding]:
    """Find hooks that are not there, with what looks like them."""
    if code.star or any(code.builtin(node) in ("globals", "exec") for node in code.nodes):
        return
    used = {node.id for node in code.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    missing = [hook for hook in HOOKS if not code.definitions(hook)]
    for name, nodes in code.module.defined.items():
        hook = _meant(name)
        if hook in missing and name not in used and isinstance(nodes[0], Function):
            missing.remove(hook)
            report = code.error if hook == "on_tick" else code.warning
            message = f"nothing calls {_cut(name)}: did you mean {_head(hook)}?"
            yield report(nodes[0], "misspelt-hook", message)
    if "on_tick" in missing:
        yield _no_on_tick(code)


def hook_kind(code: Code) -> Iterator[Finding]:
    """Find hooks that are not plain functions."""
    for hook in HOOKS:
        last = code.definitions(hook)[-1:]
        if last and isinstance(last[0], _NOT_CALLABLE) and not (hook != "on_tick" and _is_none(last[0])):
            yield code.error(last[0], "hook-not-callable", f"{hook} must be a function: def {_head(hook)}:")
    for hook, functions in hook_functions(code).items():
        for function in functions:
            yields = code.inner[function].yields
            if isinstance(function, ast.AsyncFunctionDef):
                message = f"nobody awaits {hook}: write def without async"
                yield code.error(function, "async-hook", message)
            elif yields:
                message = f"yield makes {hook} a generator, whose code never runs; use return, or ctx.plot to show"
                yield code.error(yields[0], "generator-hook", message)


def hook_arguments(code: Code) -> Iterator[Finding]:
    """Find hooks that cannot be called with the arguments they get."""
    for hook, functions in hook_functions(code).items():
        for function in functions:
            names = arguments_of(function)
            if not takes(function, len(HOOKS[hook])):
                message = f"{hook} is called as {_head(hook)}, but this one takes ({_cut(', '.join(names))})"
                yield code.error(function, "hook-arguments", message)
            elif hook == "on_tick" and (names[:1] == ["tick"] or names[1:2] == ["ctx"]):
                yield code.error(function, "hook-arguments", f"the order is {_head(hook)}")


def bad_params(code: Code) -> Iterator[Finding]:
    """Find ``PARAMS`` that is not a dict of names and JSON values."""
    for value in code.definitions("PARAMS")[-1:]:
        pairs = _pairs(code, value)
        if pairs is not None:
            yield from _bad_pairs(code, pairs)
        elif isinstance(value, (*_NOT_CALLABLE, *_CALLABLE)) and not isinstance(value, ast.Dict):
            message = 'PARAMS must be a dict of names and values, for example PARAMS = {"window": 20}'
            yield code.error(value, "bad-params", message)
        elif value is not None:
            message = 'PARAMS is computed; write it out, PARAMS = {"window": 20}, so that it can be read unrun'
            yield code.warning(value, "bad-params", message)


def bad_name(code: Code) -> Iterator[Finding]:
    """Find a ``NAME`` that is not text."""
    for value in code.definitions("NAME")[-1:]:
        text = isinstance(value, ast.JoinedStr) or _is_text(value)
        if isinstance(value, (*_NOT_CALLABLE, *_CALLABLE)) and not text:
            yield code.warning(value, "bad-name", 'NAME should be text, for example NAME = "SMA Crossover"')


def _no_on_tick(code: Code) -> Finding:
    for node in code.nodes:
        if isinstance(node, ast.FunctionDef) and node.name == "on_tick":
            around = code.parent[node]
            while not isinstance(around, (*_CALLABLE, ast.Module)):
                around = code.parent[around]
            inside = _cut(getattr(around, "name", "another function"))
            message = f"this on_tick is inside {inside}, where nothing calls it: move it to the left margin"
            return code.error(node, "missing-hook", message)
    message = "there is no function on_tick(ctx, tick), which is called at every tick"
    return code.error(code.nodes[0], "missing-hook", message)


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
            yield code.error(key, "bad-params", 'names in PARAMS are text: write them in quotes, {"window": 20}')
            continue
        shown = repr(_cut(key.value))
        if key.value in seen:
            yield code.error(key, "bad-params", f"PARAMS has {shown} twice; only the last one counts")
        seen.add(key.value)
        fault = _value_fault(value)
        if fault == "computed":
            message = f"the value of {shown} in PARAMS is computed; write it out, so that it can be read unrun"
            yield code.warning(value, "bad-params", message)
        elif fault:
            yield code.error(value, "bad-params", f"the value of {shown} in PARAMS is {fault}; use a number or text")


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
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**64 else "beyond 64 bits"
    return "" if value is None or isinstance(value, str) else "not a JSON value"


def _meant(name: str) -> str:
    folded = name.lower().replace("_", "")
    if folded in _HOOK_OF or len(name) > MAX_WORD:
        return _HOOK_OF.get(folded, "")
    near = get_close_matches(folded, [hook.replace("_", "") for hook in HOOKS], n=1, cutoff=0.75)
    return _HOOK_OF[near[0]] if near else ""


def _head(hook: str) -> str:
    return f"{hook}({', '.join(HOOKS[hook])})"


def _cut(word: str) -> str:
    return word if len(word) <= MAX_WORD else word[:MAX_WORD] + "..."


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


RULES = (missing_hooks, hook_kind, hook_arguments, bad_params, bad_name)
