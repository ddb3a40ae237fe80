"""The market that magics and buttons act on: the newest one made or started in this kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.errors import EngineError
from algosim.live import newest

if TYPE_CHECKING:
    from algosim.live.simulation import Simulation

__all__ = ["follow", "get", "peek", "set"]


class _Newest:
    """Holds the market, so that one made by a magic lives although no variable has it."""

    sim: Simulation | None = None


def get() -> Simulation:
    """Return the newest market.

    Raises
    ------
    EngineError
        If there is none yet.
    """
    if _Newest.sim is None:
        msg = "there is no market yet; make one: %algosim start --strategy sma_crossover --seed 42"
        raise EngineError(msg)
    return _Newest.sim


def peek() -> Simulation | None:
    """Return the newest market, or None if there is none yet."""
    return _Newest.sim


def set(sim: Simulation) -> None:
    """Act on this market from now on."""
    _Newest.sim = sim


def follow() -> None:
    """Take note of every market that is made or started from now on."""
    if set not in newest.listeners:
        newest.listeners.append(set)
