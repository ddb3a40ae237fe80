"""Saving a copy of a run's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from algosim.notebook.panels import button, buttons, panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands

__all__ = ["SavePanel"]


class SavePanel:
    """A folder to copy the run to as it is now.

    Attributes
    ----------
    box : Box
    folder : Text
        Relative to the notebook's working folder.
    """

    def __init__(self, sim: Simulation, errands: Errands, tell: Callable[[str], None]) -> None:
        self._sim = sim
        self._errands = errands
        self._tell = tell
        self.folder = widgets.Text(value="", tooltip="a new folder, or one that holds a run")
        self.export = button("Export", "download", self._ask, "copy the run folder as it is now")
        self.box = panel("Export", [self.folder, buttons(self.export)])

    def _ask(self) -> None:
        folder = self.folder.value.strip()
        self._errands.ask(lambda: self._tell(f"exported to {self._sim.export(folder)}"))

    def begin(self, run_id: str) -> None:
        """Propose a folder for another run."""
        self.folder.value = f"exports/{run_id}" if run_id else ""
