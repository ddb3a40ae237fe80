"""The tables below the chart of a dashboard, each drawn anew when it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from algosim.notebook.panels import live_html, panel
from algosim.notebook.tables import config_table, engine_table, positions_table, trades_table

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.notebook.books import Books
    from algosim.notebook.log_panel import LogPanel
    from algosim.notebook.look import Look

__all__ = ["Sheets"]


class Sheets:
    """Trades, positions and health, log; folded away, the engine and the settings.

    Attributes
    ----------
    box : Box
    """

    def __init__(self, log: LogPanel) -> None:
        self._trades, self._positions = live_html("algosim-scroll"), live_html("algosim-scroll")
        self._engine, self._settings = live_html("algosim-scroll"), live_html("algosim-scroll")
        self._config: Config | None = None
        self._folded = widgets.Accordion([self._engine, self._settings], titles=["Engine", "Configuration"])
        self._folded.add_class("algosim-folded")
        self._folded.add_class("algosim-wide")
        self.box = widgets.VBox(
            [
                panel("Accounts", [self._positions], "algosim-wide"),
                panel("Recent trades", [self._trades]),
                panel("Log", [log.box]),
                self._folded,
            ]
        )
        self.box.add_class("algosim-tables")

    def follow(self, look: Look, books: Books) -> None:
        """Show what has changed."""
        _put(self._trades, trades_table(look.recording))
        _put(self._positions, positions_table(books, look.status, look.recording.last_price))
        if self._folded.selected_index == 0:
            _put(self._engine, engine_table(look.status, look.folder))
        if look.config != self._config:
            self._config = look.config
            _put(self._settings, config_table(look.config))


def _put(place: widgets.HTML, html: str) -> None:
    if place.value != html:
        place.value = html
