"""The tables below the chart of a dashboard, each drawn anew when it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from algosim.notebook.panels import live_html, panel, put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Sheets"]

FOLDED = ("engine", "config")


class Sheets:
    """Trades, positions and health, log; folded away, the engine and the settings.

    Parameters
    ----------
    wake : callable
        Called when something is unfolded.

    Attributes
    ----------
    box : Box
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._places = {name: live_html("algosim-scroll") for name in ("trades", "positions", *FOLDED)}
        self._places["log"] = live_html("algosim-log")
        self._places["trades"].add_class("algosim-trades")
        folded = [self._places[name] for name in FOLDED]
        self._folded = widgets.Accordion(folded, titles=["Engine", "Configuration"])
        self._folded.observe(lambda _: wake(), names="selected_index")
        self._folded.add_class("algosim-folded")
        self._folded.add_class("algosim-wide")
        self.box = widgets.VBox(
            [
                panel("Accounts", [self._places["positions"]], "algosim-wide"),
                panel("Recent trades", [self._places["trades"]]),
                panel("Log", [self._places["log"]]),
                self._folded,
            ]
        )
        self.box.add_class("algosim-tables")

    def follow(self, pieces: Mapping[str, str]) -> None:
        """Show what has changed; what is folded away waits."""
        selected = self._folded.selected_index
        folded = () if selected is None else (FOLDED[selected],)
        for name in ("trades", "positions", "log", *folded):
            put(self._places[name], pieces[name])
