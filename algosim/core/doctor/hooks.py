"""Rules on a strategy's hooks: ``init``, ``on_tick``, ``on_stop``."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from typing import TYPE_CHECKING

from algosim.core.doctor.scope import Function, arguments_of
from algosim.core.doctor.text import MAX_WORD, cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.text import Finding

__all__ = ["HOOKS", "RULES", "argument_fault", "hook_functions"]

HOOKS = {"init": ("ctx",), "on_tick": ("ctx", "tick"), "on_stop": ("ctx",)}
"""The hooks and their parameters; only ``on_tick`` must be there."""

_OTHER_NAMES = {
    "init": "__init__ initialize initialise oninit begin start onstart setup prepare",
    "on_tick": "tick ticks onbar onprice ondata onquote onevent onnext next step update handledata",
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


def argument_fault(function: Function, hook: str) -> str:
    """Return why a function cannot be called with the arguments of a hook, or ``""``."""
    args, names, count = function.args, arguments_of(function), len(HOOKS[hook])
    positional = len(args.posonlyargs) + len(args.args)
    enough = count <= positional or args.vararg is not None
    if positional - len(args.defaults) > count or not enough or None in args.kw_defaults:
        return f"{hook} is called as {_head(hook)}, but this one takes ({cut(', '.join(names))})"
    swapped = hook == "on_tick" and (names[:1] == ["tick"] or names[1:2] == ["ctx"])
    return f"the order is {_head(hook)}" if swapped else ""


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
            message = f"nothing calls {cut(name)}: did you mean {_head(hook)}?"
            yield report(nodes[0], "misspelt-hook", message)
    if "on_tick" in missing:
        yield _no_on_tick(code)


def hook_kind(code: Code) -> Iterator[Finding]:
    """Find hooks that are not plain functions."""
    for hook in HOOKS:
        values = code.definitions(hook)
        wrong = [value for value in values if isinstance(value, _NOT_CALLABLE)]
        if wrong and len(wrong) == len(values) and (hook == "on_tick" or not _is_none(wrong[-1])):
            message = f"{hook} must be a function: def {_head(hook)}:"
            yield code.error(wrong[-1], "hook-not-callable", message)
    for hook, functions in hook_functions(code).items():
        for function in functions:
            yields = code.inner[function].yields
            if isinstance(function, ast.AsyncFunctionDef):
                message = f"nobody awaits {hook}: write def without async"
                yield code.error(function, "async-hook", message)
            elif yields:
                message = (
                    f"yield makes {hook} a generator, whose code never runs; use return, or ctx.plot to show"
                )
                yield code.error(yields[0], "generator-hook", message)


def hook_arguments(code: Code) -> Iterator[Finding]:
    """Find hooks that cannot be called with the arguments they get."""
    for hook, functions in hook_functions(code).items():
        for function in functions:
            if fault := argument_fault(function, hook):
                yield code.error(function, "hook-arguments", fault)


def _no_on_tick(code: Code) -> Finding:
    for node in code.nodes:
        if isinstance(node, ast.FunctionDef) and node.name == "on_tick":
            around = code.parent[node]
            while not isinstance(around, (*_CALLABLE, ast.Module)):
                around = code.parent[around]
            inside = cut(getattr(around, "name", "another function"))
            message = f"this on_tick is inside {inside}, where nothing calls it: move it to the left margin"
            return code.error(node, "missing-hook", message)
    message = "there is no function on_tick(ctx, tick), which is called at every tick"
    return code.error(code.nodes[0], "missing-hook", message)


def _meant(name: str) -> str:
    folded = name.lower().replace("_", "")
    if folded in _HOOK_OF or len(name) > MAX_WORD:
        return _HOOK_OF.get(folded, "")
    near = get_close_matches(folded, [hook.replace("_", "") for hook in HOOKS], n=1, cutoff=0.75)
    return _HOOK_OF[near[0]] if near else ""


def _head(hook: str) -> str:
    return f"{hook}({', '.join(HOOKS[hook])})"


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


RULES = (missing_hooks, hook_kind, hook_arguments)
