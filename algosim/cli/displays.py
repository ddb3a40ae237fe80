"""What a person sees of a live run while it goes on: a picture on a terminal, lines everywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.live import Live

from algosim.cli.lines import Lines
from algosim.cli.view import Figures, Size, dashboard

if TYPE_CHECKING:
    from algosim.live.simulation import Simulation

__all__ = ["Picture", "Plain"]

STANDING_S = 1.0
FIGURES_SHARE = 0.1
"""Part of the time that may go into figures: those of the whole run cost more the longer it is."""


class Plain:
    """A line for each thing that happens, and one a second on how the run stands."""

    period_s = 0.2

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._lines = Lines(simulation.recording, simulation.config)
        self._next = time.monotonic()

    def __enter__(self) -> Self:
        simulation = self._simulation
        click.echo(f"run {simulation.run_id}, seed {simulation.config.run.seed}, folder {simulation.folder}")
        return self

    def show(self) -> None:
        """Print what is new."""
        for line in self._lines.news():
            click.echo(line)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + STANDING_S
            click.echo(self._lines.standing(self._simulation.status))

    def __exit__(self, *_: object) -> None:
        for line in self._lines.news():
            click.echo(line)


class Picture:
    """A picture that is drawn anew in place, at most ``ui.throttle_fps`` and 10 times a second."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._figures = Figures({}, {})
        self._stale_at = 0.0
        self.period_s = 1 / min(10.0, simulation.config.ui.throttle_fps)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def show(self) -> None:
        """Draw."""
        simulation, console = self._simulation, self._console
        self._refresh_figures()
        picture = dashboard(
            simulation.recording,
            simulation.status,
            simulation.config,
            self._figures,
            Size(console.width, console.height),
        )
        self._live.update(picture, refresh=True)

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _refresh_figures(self) -> None:
        begin = time.monotonic()
        if begin < self._stale_at or not len(self._simulation.recording):
            return
        self._figures = Figures(self._simulation.metrics, self._simulation.rolling_metrics)
        end = time.monotonic()
        self._stale_at = end + (end - begin) / FIGURES_SHARE
