"""Rules on what a strategy passes to the calls of ``ctx``, and when it calls them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from algosim.core.doctor.api import CALLS, INDICATORS, Use, bind, uses_of
from algosim.core.doctor.hooks import hook_functions
from algosim.core.doctor.params import declared_params
from algosim.core.doctor.text import cut, hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.roles import Roles
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "early_orders", "literal_arguments", "unknown_params"]

_ORDERS = ("place_market_order", "target")
_SIDES = ("BUY", "SELL")
_UNKEPT = (ast.Set, ast.SetComp, ast.Lambda, ast.GeneratorExp)


def literal_arguments(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find sides, quantities and states that are refused whenever the call is made."""
    for use, arguments in _bound_calls(code, roles):
        if use.node.attr in _ORDERS:
            yield from _wrong_side(code, arguments.get("side"))
            yield from _wrong_quantity(code, arguments["qty"], signed=use.node.attr == "target")
        elif use.node.attr == "set_state" and _is_not_kept(roles, arguments["value"]):
            message = (
                "set_state keeps numbers, text, lists and dicts; keep this as an attribute, ctx.name = ..."
            )
            yield code.error(arguments["value"], "state-not-json", message)


def unknown_params(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find parameters that ``PARAMS`` does not have, so that nobody can set them."""
    declared = declared_params(code)
    absent = not code.definitions("PARAMS")
    if declared is None or code.star:
        return
    for use, arguments in _bound_calls(code, roles):
        name = arguments.get("name")
        if use.node.attr != "get_param" or not isinstance(name, ast.Constant):
            continue
        if name.value in declared or (absent and "default" in arguments):
            continue
        if isinstance(name.value, str):
            near = hint(name.value, sorted(declared))
            message = f"PARAMS does not have {cut(name.value)!r}{near}, so it cannot be set"
            yield code.warning(name, "unknown-param", message)


def early_orders(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find orders in ``init`` and ``on_stop``, where they raise."""
    hooks = hook_functions(code)
    outside = {code.inner[function]: hook for hook in ("init", "on_stop") for function in hooks[hook]}
    for use in uses_of(code, roles):
        hook = outside.get(code.scope[use.name])
        if hook is not None and use.call is not None and use.node.attr in _ORDERS:
            message = f"orders can be placed in on_tick only: ctx.{use.node.attr} raises in {hook}"
            yield code.error(use.node, "order-outside-tick", message)


def _bound_calls(code: Code, roles: Roles) -> Iterator[tuple[Use, dict[str, ast.expr]]]:
    for use in uses_of(code, roles):
        if use.call is not None and use.node.attr in CALLS:
            arguments = bind(CALLS[use.node.attr], use.call)
            if isinstance(arguments, dict):
                yield use, arguments


def _wrong_side(code: Code, side: ast.expr | None) -> Iterator[Finding]:
    for choice in _choices(side):
        if isinstance(choice, ast.Constant) and choice.value not in _SIDES:
            near = hint(choice.value, _SIDES).replace("'", '"') if isinstance(choice.value, str) else ""
            yield code.error(choice, "wrong-side", f'the side of an order is "BUY" or "SELL"{near}')


def _wrong_quantity(code: Code, qty: ast.expr, *, signed: bool) -> Iterator[Finding]:
    for choice in _choices(qty):
        minus = isinstance(choice, ast.UnaryOp) and isinstance(choice.op, ast.USub)
        number = choice.operand if isinstance(choice, ast.UnaryOp) else choice
        if not isinstance(number, ast.Constant):
            continue
        if isinstance(number.value, bool) or not isinstance(number.value, (int, float)):
            yield code.error(choice, "wrong-quantity", "the quantity of an order is a number")
        elif not signed and (minus or number.value == 0):
            message = "the quantity of an order is above 0; the side gives the direction"
            yield code.error(choice, "wrong-quantity", message)


def _choices(node: ast.expr | None) -> Iterator[ast.expr]:
    """Return what an expression can come to, through ``a if b else c``."""
    waiting = [] if node is None else [node]
    while waiting:
        choice = waiting.pop()
        if isinstance(choice, ast.IfExp):
            waiting += [choice.orelse, choice.body]
        else:
            yield choice


def _is_not_kept(roles: Roles, value: ast.expr) -> bool:
    if isinstance(value, _UNKEPT):
        return True
    match value:
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name() as name, attr="indicator"), attr=made)
        ):
            return made in INDICATORS and name in roles.ctx
    return False


RULES = (literal_arguments, unknown_params, early_orders)
