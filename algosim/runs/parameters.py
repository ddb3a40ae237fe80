"""Which parameters a strategy has, as far as its file tells without being run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from algosim.errors import AlgosimError, StrategyError, did_you_mean
from algosim.runs.inspection import declared_parameters
from algosim.runs.setup import located
from algosim.runs.source import ENTRY
from algosim.runs.workspace import find_strategy

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.runs.setup import Setup

__all__ = ["check_parameters"]


def check_parameters(setup: Setup, before: Config, after: Config) -> None:
    """Refuse parameters that a strategy does not have; where its file does not tell, its start will.

    Parameters
    ----------
    setup : Setup
        Where the strategies are.
    before, after : Config
        Only parameters are looked at that `after` gives and `before` does not.

    Raises
    ------
    StrategyError
        With the nearest name.
    """
    for name, spec in after.strategies.items():
        old = before.strategies.get(name)
        there = old.params if old is not None and old.path == spec.path else {}
        fresh = [parameter for parameter in spec.params if parameter not in there]
        known = _declared(setup, name, spec.path) if fresh else None
        if known is None:
            continue
        for parameter in fresh:
            if parameter not in known:
                has = ", ".join(known) or "none"
                msg = f"{name} has no parameter {parameter!r}{did_you_mean(parameter, known)}; it has: {has}"
                raise StrategyError(msg)


def _declared(setup: Setup, name: str, path: str) -> dict[str, Any] | None:
    """Return the parameters that a strategy's file declares; None if it does not tell."""
    try:
        source = find_strategy(located(setup, name, path))
    except AlgosimError:
        return None
    computed = re.search(rb"PARAMS|import \*", source.files[ENTRY])
    return declared_parameters(source.path) or (None if computed else {})
