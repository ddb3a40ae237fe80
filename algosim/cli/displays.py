"""What a person sees of a live run while it goes on: a picture on a terminal, lines everywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.live import Live

from algosim.cli.lines import Lines
from algosim.cli.view import Figures, Size, dashboard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.cli.outcome import Session
    from algosim.live.simulation import Simulation
    from algosim.runs.player import Player
    from algosim.runs.recording import Recording

__all__ = ["Picture", "Plain", "watch"]

ENDED = ("finished", "crashed")

STANDING_S = 1.0
FIGURES_SHARE = 0.1
"""Part of the time that may go into figures: those of the whole run cost more the longer it is."""


def _tell_note(simulation: Simulation | Player) -> None:
    """Say what a person should know of the run: that its ports were taken, that its folder is cut short."""
    note = simulation.status["note"]
    if note:
        click.echo(note)


def watch(simulation: Simulation | Player, display: Plain | Picture, session: Session) -> None:
    """Show a run until it has ended."""
    while True:
        status, recording = simulation.status, simulation.recording
        session.begun = session.begun or len(recording) > 0
        if status["state"] in ENDED:
            return
        display.show(recording, status)
        time.sleep(display.period_s)


class Plain:
    """A line for each thing that happens, and one a second on how the run stands."""

    period_s = 0.2

    def __init__(self, simulation: Simulation | Player) -> None:
        self._simulation = simulation
        self._lines = Lines(simulation.recording, simulation.config)
        self._next = time.monotonic() + STANDING_S

    def __enter__(self) -> Self:
        simulation = self._simulation
        click.echo(f"run {simulation.run_id}, seed {simulation.config.run.seed}, folder {simulation.folder}")
        _tell_note(simulation)
        return self

    def show(self, _: Recording, status: Mapping[str, Any]) -> None:
        """Print what is new in the recording, which has grown."""
        self._print_news()
        now = time.monotonic()
        if now >= self._next:
            self._next = now + STANDING_S
            click.echo(self._lines.standing(status))

    def __exit__(self, *_: object) -> None:
        self._print_news()

    def _print_news(self) -> None:
        for line in self._lines.news():
            click.echo(line)


class Picture:
    """A picture that is drawn anew in place, at most ``ui.throttle_fps`` and 10 times a second."""

    def __init__(self, simulation: Simulation | Player) -> None:
        self._simulation = simulation
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._figures = Figures({}, {})
        self._stale_at = 0.0
        self.period_s = 1 / min(10.0, simulation.config.ui.throttle_fps)

    def __enter__(self) -> Self:
        _tell_note(self._simulation)
        self._live.start()
        return self

    def show(self, recording: Recording, status: Mapping[str, Any]) -> None:
        """Draw."""
        begin = time.monotonic()
        if begin >= self._stale_at and len(recording):
            self._figures = Figures(self._simulation.metrics, self._simulation.rolling_metrics)
            end = time.monotonic()
            self._stale_at = end + (end - begin) / FIGURES_SHARE
        size = Size(self._console.width, self._console.height)
        picture = dashboard(recording, status, self._simulation.config, self._figures, size)
        self._live.update(picture, refresh=True)

    def __exit__(self, *_: object) -> None:
        self._live.stop()
