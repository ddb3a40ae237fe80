"""`algosim.figure`: the figure of a whole run, a widget where there can be one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from algosim.charts.quick_import import without_grammar
from algosim.charts.whole_run import drawn, whole_run

if TYPE_CHECKING:
    import os

    import plotly.graph_objects as go

    from algosim.charts.palette import Theme
    from algosim.runs.result import RunData

__all__ = ["figure"]


def figure(run: RunData | str | os.PathLike[str], *, theme: Theme | None = None) -> go.Figure:
    """Return the figure of a whole run: price with trades and interventions, equity, returns.

    Parameters
    ----------
    run : Result, Simulation, Player, str or path
        A finished run, a market as it is now, or a recorded run's folder, its id or ``"last"``.
    theme : "light" or "dark", optional
        Without it, that of the notebook, also when it changes; outside of one, light.

    Returns
    -------
    plotly Figure
        A FigureWidget in a notebook where ipywidgets and anywidget are installed. It stays as it is; what
        goes on is on `Simulation.dashboard`.

    Raises
    ------
    AlgosimError
        If plotly is not installed; says what to install.
    ConfigError
        If `run` is none of these.
    RunError
        If there is no such run.
    """
    series = whole_run(run)
    plain = drawn(series, theme or "light")
    if not _in_notebook():
        return plain
    try:
        with without_grammar():
            from algosim.notebook.run_widget import RunFigure  # noqa: PLC0415  (not on every machine)
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "ipywidgets"):
            raise
        return plain
    return RunFigure(series, theme)


def _in_notebook() -> bool:
    """Say whether this is a Jupyter kernel."""
    shell = sys.modules.get("IPython")
    return shell is not None and hasattr(shell.get_ipython(), "kernel")
