"""The buttons that let a market go, stand, step and end, and its speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.board.allowed import allowed
from algosim.notebook.panels import button, buttons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands

__all__ = ["TransportBar"]


class TransportBar:
    """Start, pause, resume, step, reset, stop.

    Parameters
    ----------
    sim : Simulation
    errands : Errands
    journeys : Errands
        For what takes as long as the market takes, so that the others get through meanwhile.
    speed : Box

    Attributes
    ----------
    box : Box
    steps : IntText
        How many ticks a step has.
    """

    def __init__(self, sim: Simulation, errands: Errands, journeys: Errands, speed: widgets.Box) -> None:
        self._sim = sim
        self._errands = errands
        self._journeys = journeys
        self.start = button("Start", "play", self.ask_start, "start the market", "go")
        self.pause = button("Pause", "pause", lambda: errands.ask(sim.pause), "pause after the last tick")
        self.resume = button("Resume", "play", lambda: errands.ask(sim.resume), "go on", "go")
        self.step = button("Step", "step-forward", self._ask_step, "release so many ticks of a paused market")
        self.reset = button(
            "Reset", "undo", lambda: errands.ask(sim.reset), "end this run, make a fresh one ready"
        )
        self.stop = button("Stop", "stop", lambda: errands.ask(sim.stop), "end the run", "end")
        self.steps = widgets.IntText(value=1, tooltip="ticks to a step")
        self.steps.add_class("algosim-steps")
        step = widgets.HBox([self.step, self.steps, widgets.Label("ticks")])
        step.add_class("algosim-step")
        transport = buttons(self.start, self.pause, self.resume, step, self.reset, self.stop)
        self.box = widgets.HBox([transport, speed])
        self.box.add_class("algosim-transport")

    def ask_start(self) -> None:
        """Start the market."""
        self._journeys.ask(self._sim.start)

    def _ask_step(self) -> None:
        n = self.steps.value
        self._journeys.ask(lambda: self._sim.step(n))

    def follow(self, status: Mapping[str, Any]) -> None:
        """Let people press what makes sense now."""
        may = allowed(status)
        for each, on in (
            (self.start, may.start),
            (self.pause, may.pause),
            (self.resume, may.resume),
            (self.step, may.step),
            (self.stop, may.stop),
            (self.reset, may.reset),
        ):
            each.disabled = not on
