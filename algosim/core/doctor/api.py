"""What ``ctx`` and ``tick`` offer to a strategy, read from the classes themselves, and where it is used."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, NamedTuple

from algosim.core.context import Context
from algosim.core.doctor.text import cut, hint
from algosim.core.indicators import Indicators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.core.doctor.code import Code
    from algosim.core.doctor.roles import Roles

__all__ = ["CALLS", "INDICATORS", "TICK_KEYS", "VALUES", "Use", "bind", "uses_of"]


def _calls_of(kind: type) -> dict[str, inspect.Signature]:
    """Return the calls that a class offers, without ``self`` and annotations."""
    calls = {}
    for name, function in vars(kind).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            _, *parameters = inspect.signature(function).parameters.values()
            bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
            calls[name] = inspect.Signature(bare)
    return calls


CALLS = _calls_of(Context)
INDICATORS = _calls_of(Indicators)

VALUES = ("indicator", "rng")
"""What ``ctx`` has beside its calls."""

TICK_KEYS = ("price", "ts", "ts_sim", "seq", "asset_id", "model_state")
"""What a tick has; see `algosim.core.ticks.shown`."""


class Use(NamedTuple):
    """One ``ctx.something`` in the source.

    Attributes
    ----------
    name : ast.Name
        The ``ctx``.
    node : ast.Attribute
        The whole of it.
    call : ast.Call or None
        The call, where it is one: ``ctx.something(...)``.
    """

    name: ast.Name
    node: ast.Attribute
    call: ast.Call | None


def uses_of(code: Code, roles: Roles) -> Iterator[Use]:
    """Return all uses of ``ctx`` that read or write an attribute."""
    for name in roles.ctx:
        node = code.parent[name]
        if isinstance(node, ast.Attribute):
            yield Use(name, node, code.call_of(node))


def bind(signature: inspect.Signature, call: ast.Call) -> dict[str, ast.expr] | str | None:
    """Return a call's arguments by parameter, or what is wrong with them; None if that cannot be seen."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if len(named) < len(call.keywords):
        return None
    unknown = [name for name in named if name not in signature.parameters]
    if unknown:
        return f"there is no argument {cut(unknown[0])!r}{hint(unknown[0], signature.parameters)}"
    try:
        return dict(signature.bind(*call.args, **named).arguments)
    except TypeError as error:
        return str(error)
