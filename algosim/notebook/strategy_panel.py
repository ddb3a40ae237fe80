"""The strategies of a live market: which trade, with which parameters, and how to add or replace one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import msgspec

from algosim.config import StrategySpec
from algosim.errors import AlgosimError
from algosim.events import Attach, Version
from algosim.notebook.panels import button, buttons, panel
from algosim.notebook.params_form import ParamsForm
from algosim.runs.inspection import declared_parameters
from algosim.runs.source import ENTRY
from algosim.runs.workspace import find_strategy, strategy_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands
    from algosim.runs.recording import Recording

__all__ = ["StrategyPanel"]

_GONE = ("leaving", "removed")


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
        self._versions: dict[str, tuple[str, dict[str, Any]]] = {}
        self._members = 0
        self._recording: Recording | None = None
        self._declared: dict[Path, dict[str, Any]] = {}
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
            self._errands.ask(lambda: self._remove(name))

    def _ask_add(self) -> None:
        name = self.library.value
        if name is not None:
            self._errands.ask(lambda: self._add(name))

    def _ask_swap(self) -> None:
        old, new = self.account.value, self.library.value
        if new is not None:
            self._errands.ask(lambda: self._swap(old, new))

    def _add(self, name: str) -> None:
        if self._sim.state == "new":
            self._set_out({name: StrategySpec(path=name)})
        else:
            self._sim.add(name)

    def _remove(self, name: str) -> None:
        if self._sim.state == "new":
            self._set_out({}, without=name)
        else:
            self._sim.remove(name)

    def _set_out(self, more: dict[str, StrategySpec], without: str = "") -> None:
        """Change which strategies a market that has not started begins with."""
        config = self._sim.config
        kept = {name: spec for name, spec in config.strategies.items() if name != without}
        self._sim.config = msgspec.structs.replace(config, strategies=kept | more)

    def _swap(self, old: str | None, new: str) -> None:
        """Take one strategy out once the other is in: if that fails, the old one trades on."""
        if old == new:
            self._sim.reload(new)
            return
        self._add(new)
        if old is not None:
            self._remove(old)

    # What there is

    def follow(self, recording: Recording, status: Mapping[str, Any], config: Config) -> None:
        """Show the strategies that are in the market and the parameters of the chosen one."""
        self._read_versions(recording)
        healths = status.get("strategies", {})
        names = [name for name, health in healths.items() if health.get("state") not in _GONE]
        if not healths:
            names = list(config.strategies)
        if list(self.account.options) != names:
            chosen = self.account.value
            self.account.options = names
            self.account.value = chosen if chosen in names else next(iter(names), None)
        library = sorted(strategy_names())
        if list(self.library.options) != library:
            self.library.options = library
        name = self.account.value
        if name is not None:
            self.form.follow(name, self._parameters(name, config))

    def _read_versions(self, recording: Recording) -> None:
        if recording is not self._recording:
            self._recording, self._members, self._versions = recording, 0, {}
        members = recording.members[self._members :]
        self._members += len(members)
        for member in members:
            if isinstance(member, Attach | Version):
                self._versions[member.id] = (member.code, member.params)

    def _parameters(self, name: str, config: Config) -> dict[str, Any]:
        """Return ``PARAMS`` with the values it runs with, from the files that run."""
        if name in self._versions and self._sim.folder is not None:
            code, given = self._versions[name]
            return {**self._declare(self._sim.folder / "strategies" / code / ENTRY), **given}
        if name not in config.strategies:
            return {}
        spec = config.strategies[name]
        try:
            return {**declared_parameters(find_strategy(spec.path).path), **spec.params}
        except AlgosimError:  # it will be said when the market starts
            return dict(spec.params)

    def _declare(self, file: Path) -> dict[str, Any]:
        """Return what a recorded version declares; it never changes."""
        if file not in self._declared:
            self._declared[file] = declared_parameters(file)
        return self._declared[file]

    def enable(self, *, runs: bool, ended: bool) -> None:
        """Let people use what makes sense now."""
        for each in (self.apply, self.remove, self.add, self.swap):
            each.disabled = ended
        self.reload.disabled = not runs
