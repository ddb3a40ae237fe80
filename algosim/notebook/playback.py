"""A recorded run on the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from algosim.notebook.dashboard import Dashboard, dashboard
from algosim.runs.player import Player

if TYPE_CHECKING:
    import os

    from algosim.charts.palette import Theme

__all__ = ["play"]


def play(
    run: str | os.PathLike[str],
    *,
    speed: float | Literal["max"] | None = None,
    start: bool = True,
    fast: bool = False,
    theme: Theme | None = None,
) -> Dashboard:
    """Play a recorded run on the dashboard; returns at once.

    Parameters
    ----------
    run : str or path
        The run's folder, its id, or ``"last"``.
    speed : float or "max", optional
        Simulated seconds per second; without it as the run was set to begin with.
    start : bool, optional
        Begin to play; False waits for the button.
    fast, theme : optional
        As in `algosim.dashboard`.

    Raises
    ------
    RunError
        If there is no such run, or it cannot be read.
    """
    return dashboard(Player(run, speed=speed), start=start, fast=fast, theme=theme)
