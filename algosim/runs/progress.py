"""How far a long computation is, and who is told where the caller named nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

__all__ = ["Progress", "Shown", "reporting", "show_with"]

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is in all."""

Shown = Callable[[str], AbstractContextManager[Progress]]
"""Given what is being done, shows how far it is until it is left."""


class _Default:
    shown: Shown | None = None


def show_with(shown: Shown) -> None:
    """Show from now on how far computations are whose caller names nobody; a notebook does."""
    _Default.shown = shown


def reporting(what: str, progress: Progress | None) -> AbstractContextManager[Progress | None]:
    """Return who is to be told: `progress`, or else who shows it by default, or None."""
    if progress is not None or _Default.shown is None:
        return nullcontext(progress)
    return _Default.shown(what)
