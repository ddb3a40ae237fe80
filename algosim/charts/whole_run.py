"""The figure of a whole run: of a result, of a market as it is now, of a run's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.charts.feed import Feed
from algosim.charts.figures import run_figure
from algosim.charts.palette import palette
from algosim.errors import AlgosimError, ConfigError
from algosim.runs.folder import read_run
from algosim.runs.result import RunData
from algosim.runs.workspace import find_run

if TYPE_CHECKING:
    import os

    import plotly.graph_objects as go

    from algosim.charts.feed import Series
    from algosim.charts.palette import Theme

    Run = RunData | str | os.PathLike[str]

__all__ = ["drawn", "whole_run"]


def whole_run(run: Run) -> Series:
    """Return all that a chart shows of a run.

    Parameters
    ----------
    run : Result, Simulation, Player, str or path
        A finished run, a market as it is now, or a recorded run's folder, its id or ``"last"``.

    Raises
    ------
    ConfigError
        If `run` is none of these.
    RunError
        If there is no such run.
    """
    if isinstance(run, RunData):
        recording, config = run.recording, run.config
    elif isinstance(run, str) or hasattr(run, "__fspath__"):
        saved = read_run(find_run(run))
        recording, config = saved.recording, saved.config
    else:
        msg = f"a run is a Result, a Simulation, a folder or an id, not {type(run).__name__}"
        raise ConfigError(msg)
    feed = Feed(config.portfolio.initial_cash)
    feed.update(recording)
    return feed.series()


def drawn(series: Series, theme: Theme) -> go.Figure:
    """Return the figure of a run.

    Raises
    ------
    AlgosimError
        If plotly, which algosim can do without otherwise, is not installed; says what to install.
    """
    try:
        return run_figure(series, palette(theme))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "plotly":
            raise
        msg = "figures need plotly: pip install 'algosim[lab]'"
        raise AlgosimError(msg) from None
