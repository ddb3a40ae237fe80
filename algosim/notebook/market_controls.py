"""All that acts on a live market from its dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim.board.allowed import allowed
from algosim.errors import AlgosimError
from algosim.notebook.errands import Errands
from algosim.notebook.order_ticket import OrderTicket
from algosim.notebook.present_panel import PresentPanel
from algosim.notebook.save_panel import SavePanel
from algosim.notebook.settings_panel import SettingsPanel
from algosim.notebook.strategy_panel import StrategyPanel
from algosim.notebook.transport_bar import TransportBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Box

    from algosim.board.log_lines import LogLines
    from algosim.board.look import Look
    from algosim.live.simulation import Simulation

__all__ = ["MarketControls"]


class MarketControls:
    """Transport, orders, strategies, settings, export, the page for the projector.

    Parameters
    ----------
    sim : Simulation
    log : LogLines
        Is told what could not be done, and why.
    done : callable
        Called when something was done that a person asked for.

    Attributes
    ----------
    top : Box
    side : list of Box
    """

    def __init__(self, sim: Simulation, log: LogLines, done: Callable[[], None]) -> None:
        self._sim, self._log = sim, log
        self._errands, self._journeys = Errands(log.failed, done), Errands(log.failed, done)
        self.settings = SettingsPanel(sim, self._errands, log.tell)
        self.transport = TransportBar(sim, self._errands, self._journeys, self.settings.speed)
        self.order = OrderTicket(sim, self._errands)
        self.strategies = StrategyPanel(sim, self._errands, self.settings.hot_reload)
        self.save = SavePanel(sim, self._errands, log.tell)
        self.present = PresentPanel(sim, log.failed, log.tell, done)
        self.top: Box = self.transport.box
        self.side: list[Box] = [
            self.order.box,
            self.strategies.box,
            *self.settings.panels,
            self.save.box,
            self.present.box,
        ]

    def start(self) -> None:
        """Start the market unless it has been started before.

        Its processes are there when this returns: the next cell can act on them.
        """
        try:
            if self._sim.state == "new":
                self._sim.reset()
        except AlgosimError as error:
            self._log.failed(error)
        else:
            self._journeys.ask(self._start)

    def _start(self) -> None:
        status = self._sim.status
        if status["state"] in ("new", "starting", "waiting") or (
            status["state"] == "paused" and not status["tick"]
        ):
            self._sim.start()

    def begin(self, run_id: str) -> None:
        """Act on another run."""
        self.save.begin(run_id)

    def follow(self, look: Look) -> None:
        """Show settings and strategies as they are now, and let people use what makes sense."""
        self.transport.follow(look.status)
        self.settings.follow(look.config, look.read_at)
        self.strategies.follow(look.status, look.config)
        self.order.follow(look.status, look.config)
        self.save.export.disabled = not look.run_id
        self.present.open.disabled = look.phase == "over"
        may = allowed(look.status)
        self.strategies.enable(runs=may.reload, ended=not may.change)

    def close(self) -> None:
        """Do nothing any more."""
        self._errands.close()
        self._journeys.close()
        self.present.close()
