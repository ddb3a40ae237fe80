"""The settings that the dashboard shows as knobs, and how a change of one is asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from algosim.board.setting_knobs import GROUPS, HOT_RELOAD, SPEED, Choice, Slider, counts, value_of
from algosim.errors import ConfigError
from algosim.notebook import knobs
from algosim.notebook.panels import panel
from algosim.setting_words import unit, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.board.setting_knobs import Entry
    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands
    from algosim.notebook.knobs import Knob

__all__ = ["SettingsPanel"]


class SettingsPanel:
    """Knobs that change a market, and follow it when it is changed elsewhere.

    Parameters
    ----------
    sim : Simulation
    errands : Errands
    tell : callable
        Takes a line for the log.

    Attributes
    ----------
    knobs : dict of str to Knob
        By the setting's dotted key.
    speed, hot_reload : Box
        Knobs that stand elsewhere.
    panels : list of Box
    """

    def __init__(self, sim: Simulation, errands: Errands, tell: Callable[[str], None]) -> None:
        self._sim = sim
        self._errands = errands
        self._tell = tell
        self._config = sim.config
        self.knobs: dict[str, Knob] = {}
        self.speed = self._row(knobs.speed(self._ask), SPEED.label)
        reload = knobs.switch(HOT_RELOAD.key, self._ask, HOT_RELOAD.label)
        self.knobs[reload.key] = reload
        self.hot_reload = widgets.HBox([each.widget for each in reload.inputs])
        self.panels = [
            panel(title, [self._row(self._knob(each), each.label) for each in group])
            for title, group in GROUPS.items()
        ]

    def _knob(self, of: Slider | Choice | Entry) -> Knob:
        if isinstance(of, Slider):
            return knobs.number(of.key, self._ask, of.low, of.high, log=of.log)
        if isinstance(of, Choice):
            return knobs.choice(of.key, self._ask, of.options)
        return knobs.seed(self._ask) if of.fresh else knobs.field(of.key, self._ask)

    def _row(self, knob: Knob, label: str) -> widgets.Box:
        self.knobs[knob.key] = knob
        lists = isinstance(knob.inputs[0].widget, widgets.Dropdown)
        return knobs.row(knob, label, "" if lists else unit(knob.key, self._config), words()[knob.key].says)

    def _ask(self, knob: Knob, value: object) -> None:
        change = partial(self._change, knob.key, value)
        self._errands.ask(change, key=knob.key, done=knob.settled)

    def _change(self, key: str, value: object) -> None:
        """Change a setting; one that waits for a reset is no failure."""
        try:
            self._sim.set({key: value})
        except ConfigError:
            if key not in self._sim.noted or self._sim.noted[key] != value:
                raise
            self._tell(f"{key} = {_said(value)} waits for the next reset")

    def follow(self, config: Config, read_at: float) -> None:
        """Show the engine's settings, read at `read_at` (monotonic s), and what waits for a reset."""
        noted = self._sim.noted
        for knob in self.knobs.values():
            waits = knob.key in noted
            knob.follow(noted[knob.key] if waits else value_of(config, knob.key), read_at)
            if knob.box is not None:
                _mark(knob.box, "algosim-waits", on=waits)
                _mark(knob.box, "algosim-hidden", on=not counts(config, knob.key))
            if knob.unit.value:
                knob.unit.value = unit(knob.key, config)


def _said(value: object) -> str:
    return "a fresh one" if value is None else str(value)


def _mark(box: widgets.Box, kind: str, *, on: bool) -> None:
    if on:
        box.add_class(kind)
    else:
        box.remove_class(kind)
