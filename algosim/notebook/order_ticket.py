"""Orders by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.board.allowed import allowed, order_hint
from algosim.notebook.panels import button, buttons, panel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands

__all__ = ["OrderTicket"]


class OrderTicket:
    """A quantity, and a button for each side.

    Attributes
    ----------
    box : Box
    qty : FloatText
    buy, sell : Button
    """

    def __init__(self, sim: Simulation, errands: Errands) -> None:
        self._sim = sim
        self._errands = errands
        self.qty = widgets.FloatText(value=1.0, tooltip="units of the asset")
        self.qty.add_class("algosim-field")
        self.buy = button("BUY", "arrow-up", lambda: self._ask("BUY"), "market order by hand", "buy")
        self.sell = button("SELL", "arrow-down", lambda: self._ask("SELL"), "market order by hand", "sell")
        self._hint = widgets.Label("")
        self._hint.add_class("algosim-hint")
        units = widgets.HBox([self.qty, widgets.Label("units at market")])
        units.add_class("algosim-units")
        self.box = panel("Order by hand", [units, buttons(self.buy, self.sell), self._hint])

    def _ask(self, side: str) -> None:
        qty = self.qty.value
        self._errands.ask(lambda: self._sim.order(side, qty))

    def follow(self, status: Mapping[str, Any], config: Config) -> None:
        """Say when an order would fill, and let people place one if it can be."""
        self.buy.disabled = self.sell.disabled = not allowed(status).order
        self._hint.value = order_hint(status, config)
