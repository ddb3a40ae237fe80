"""Who is told of every market that this process makes or starts; a notebook's magics act on the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.live.simulation import Simulation

__all__ = ["announce", "listeners"]

listeners: list[Callable[[Simulation], None]] = []


def announce(sim: Simulation) -> None:
    """Tell all listeners of a market that was just made, or is about to start."""
    for listener in listeners:
        listener(sim)
