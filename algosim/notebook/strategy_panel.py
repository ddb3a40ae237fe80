"""The strategies of a live market: which trade, with which parameters, and how to add or replace one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.board.line_up import LineUp
from algosim.errors import AlgosimError
from algosim.notebook.panels import button, buttons, panel
from algosim.notebook.params_form import ParamsForm
from algosim.runs.workspace import strategy_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands

__all__ = ["StrategyPanel"]


class StrategyPanel:
    """A picker of strategies, and the parameters of one of those that trade.

    Parameters
    ----------
    sim : Simulation
    errands : Errands
    hot_reload : Box
        The switch, which is a setting.

    Attributes
    ----------
    box : Box
    account, library : Dropdown
        Strategies in the market, and strategies that there are.
    form : ParamsForm
    """

    def __init__(self, sim: Simulation, errands: Errands, hot_reload: widgets.Box) -> None:
        self._sim = sim
        self._errands = errands
        self._line_up = LineUp(sim)
        self.form = ParamsForm()
        self.account = widgets.Dropdown(options=[], tooltip="a strategy in the market")
        self.library = widgets.Dropdown(options=sorted(strategy_names()), tooltip="strategies that there are")
        self.apply = button("Apply", "check", self._ask_apply, "reload it with these parameters")
        self.reload = button("Reload", "refresh", self._ask_reload, "load its files again")
        self.remove = button("Remove", "times", self._ask_remove, "its account keeps the position")
        self.add = button("Add", "plus", self._ask_add, "let it trade beside the others")
        self.swap = button("Use instead", "exchange", self._ask_swap, "in place of the one above")
        self.box = panel(
            "Strategy",
            [
                self.account,
                self.form.box,
                buttons(self.apply, self.reload, self.remove),
                self.library,
                buttons(self.add, self.swap),
                hot_reload,
            ],
        )

    # What people ask

    def _ask_apply(self) -> None:
        name = self.account.value
        if name is not None:
            self._errands.ask(lambda: self._apply(name))

    def _apply(self, name: str) -> None:
        """Reload a strategy with what was typed; what is refused is not left standing."""
        try:
            changed = self.form.changed()
            if changed:
                self._sim.set(changed, id=name)
        except AlgosimError:
            self.form.put_back()
            raise

    def _ask_reload(self) -> None:
        name = self.account.value
        if name is not None:
            self._errands.ask(lambda: self._sim.reload(name))

    def _ask_remove(self) -> None:
        name = self.account.value
        if name is not None:
            self._errands.ask(lambda: self._line_up.remove(name))

    def _ask_add(self) -> None:
        name = self.library.value
        if name is not None:
            self._errands.ask(lambda: self._line_up.add(name))

    def _ask_swap(self) -> None:
        old, new = self.account.value, self.library.value
        if new is not None:
            self._errands.ask(lambda: self._line_up.swap(old, new))

    # What there is

    def follow(self, status: Mapping[str, Any], config: Config) -> None:
        """Show the strategies that are in the market and the parameters of the chosen one."""
        names = self._line_up.names(status, config)
        if list(self.account.options) != names:
            chosen = self.account.value
            self.account.options = names
            self.account.value = chosen if chosen in names else next(iter(names), None)
        library = sorted(strategy_names())
        if list(self.library.options) != library:
            self.library.options = library
        name = self.account.value
        if name is not None:
            self.form.follow(name, self._line_up.parameters(name, config))

    def enable(self, *, runs: bool, ended: bool) -> None:
        """Let people use what makes sense now."""
        for each in (self.apply, self.remove, self.add, self.swap):
            each.disabled = ended
        self.reload.disabled = not runs
