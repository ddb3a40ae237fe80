"""Rules on what a strategy reads from ``tick``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from algosim.core.doctor.api import TICK_KEYS
from algosim.core.doctor.text import cut, hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.roles import Roles
    from algosim.core.doctor.text import Finding

__all__ = ["RULES", "tick_attributes", "tick_keys"]


def tick_attributes(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find ``tick.price`` where ``tick["price"]`` is meant."""
    for name in roles.tick:
        node = code.parent[name]
        if isinstance(node, ast.Attribute) and not hasattr(dict, node.attr):
            near = "" if node.attr in TICK_KEYS else hint(node.attr, TICK_KEYS)
            message = f'a tick is read with brackets: {name.id}["{cut(node.attr)}"]{near}'
            yield code.error(node, "tick-attribute", message)


def tick_keys(code: Code, roles: Roles) -> Iterator[Finding]:
    """Find keys that a tick does not have; those that the strategy adds itself are left alone."""
    around = [code.parent[name] for name in roles.tick]
    if any(isinstance(node, ast.Attribute) and node.attr in ("setdefault", "update") for node in around):
        return
    items = [node for node in around if isinstance(node, ast.Subscript) and node.value in roles.tick]
    added = {key.value for node in items if isinstance(node.ctx, ast.Store) for key in _constants(node.slice)}
    for node in items:
        for key in _constants(node.slice):
            if key.value not in TICK_KEYS and key.value not in added:
                yield code.error(key, "unknown-tick-key", _no_key(key.value))
    for read in around:
        call = code.call_of(read) if isinstance(read, ast.Attribute) and read.attr == "get" else None
        for key in _constants(*call.args[:1]) if call is not None else ():
            if key.value not in TICK_KEYS and key.value not in added:
                yield code.warning(key, "unknown-tick-key", _no_key(key.value))


def _constants(*nodes: ast.expr) -> list[ast.Constant]:
    return [node for node in nodes if isinstance(node, ast.Constant)]


def _no_key(key: object) -> str:
    has = f"it has {', '.join(TICK_KEYS)}"
    if not isinstance(key, str):
        return f'a tick is read by name, tick["price"]; {has}'
    return f"a tick has no {cut(key)!r}{hint(key, TICK_KEYS)}; {has}"


RULES = (tick_attributes, tick_keys)
