"""Strategies of ``%%strategy`` cells that wait for the next market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep", "strategies"]

strategies: dict[str, dict[str, Any]] = {}
"""By id, as `algosim.Simulation` takes them."""


def keep(name: str, path: Path, params: dict[str, Any]) -> None:
    """Have the next market that names no strategy trade this one, among others."""
    strategies[name] = {"path": str(path), "params": params}
