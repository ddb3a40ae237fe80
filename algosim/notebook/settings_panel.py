"""The settings that a dashboard shows as knobs: which, in what order, and how a change is asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets

from algosim.errors import ConfigError
from algosim.notebook import knobs
from algosim.notebook.panels import panel
from algosim.setting_words import unit, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.notebook.errands import Errands
    from algosim.notebook.knobs import Knob

__all__ = ["SettingsPanel"]


class _Range(NamedTuple):
    """Ends of a slider; a field beside it takes any number."""

    label: str
    low: float
    high: float
    log: bool = False


_MARKET = {
    "model.sigma": _Range("\N{GREEK SMALL LETTER SIGMA} volatility", 0.0, 1.0),
    "model.kappa": _Range("\N{GREEK SMALL LETTER KAPPA} reversion", 0.0, 5.0),
    "model.theta": _Range("\N{GREEK SMALL LETTER THETA} mean of x", -1.0, 1.0),
    "model.mu": _Range("\N{GREEK SMALL LETTER MU} drift", -0.5, 0.5),
    "model.P0": _Range("P\N{SUBSCRIPT ZERO} price at x = 0", 1.0, 1000.0, log=True),
}
_ARRIVALS = {
    "schedule.dt_mean_ms": _Range("mean gap", 1.0, 5000.0, log=True),
    "schedule.dt_fixed_ms": _Range("gap", 1.0, 5000.0, log=True),
}
_COSTS = {
    "execution.latency_ms": _Range("latency", 0.0, 1000.0),
    "execution.slippage_bps": _Range("slippage", 0.0, 50.0),
    "execution.commission_bps": _Range("commission", 0.0, 50.0),
    "execution.commission_fixed": _Range("commission per fill", 0.0, 10.0),
}
_ONLY_IN: dict[str, tuple[str, tuple[str, ...]]] = {
    "model.kappa": ("model.type", ("vasicek",)),
    "model.theta": ("model.type", ("vasicek",)),
    "model.mu": ("model.type", ("brownian", "gbm")),
    "schedule.dt_mean_ms": ("schedule.mode", ("poisson",)),
    "schedule.dt_fixed_ms": ("schedule.mode", ("fixed",)),
}
"""Settings that mean nothing unless another one has such a value."""


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
        self.speed = self._row(knobs.speed(self._ask), "speed")
        reload = knobs.switch("ui.hot_reload", self._ask, "hot reload when a file is saved")
        self.knobs[reload.key] = reload
        self.hot_reload = widgets.HBox([each.widget for each in reload.inputs])
        mode = knobs.choice("schedule.mode", self._ask, ("poisson", "fixed"))
        self.panels = [
            panel("Market", self._numbers(_MARKET)),
            panel("Arrivals", [self._row(mode, "gaps between ticks"), *self._numbers(_ARRIVALS)]),
            panel("Costs", self._numbers(_COSTS)),
            panel("At the next reset", self._at_reset()),
        ]

    def _numbers(self, ranges: dict[str, _Range]) -> list[widgets.Box]:
        return [
            self._row(knobs.number(key, self._ask, each.low, each.high, log=each.log), each.label)
            for key, each in ranges.items()
        ]

    def _at_reset(self) -> list[widgets.Box]:
        """Return the knobs of settings that a running market cannot change."""
        rows = {
            "seed": knobs.seed(self._ask),
            "model": knobs.choice("model.type", self._ask, ("vasicek", "brownian", "gbm")),
            "price map": knobs.choice("model.price_map", self._ask, ("exponential", "additive")),
            "initial cash": knobs.field("portfolio.initial_cash", self._ask),
        }
        return [self._row(knob, label) for label, knob in rows.items()]

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
            knob.follow(noted[knob.key] if waits else _value(config, knob.key), read_at)
            if knob.box is not None:
                _mark(knob.box, "algosim-waits", on=waits)
                _mark(knob.box, "algosim-hidden", on=not _counts(config, knob.key))
            if knob.unit.value:
                knob.unit.value = unit(knob.key, config)


def _said(value: object) -> str:
    return "a fresh one" if value is None else str(value)


def _value(config: Config, key: str) -> Any:  # noqa: ANN401  (a setting's)
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def _counts(config: Config, key: str) -> bool:
    """Whether a setting means anything as the others are."""
    other, values = _ONLY_IN.get(key, (key, None))
    return values is None or _value(config, other) in values


def _mark(box: widgets.Box, kind: str, *, on: bool) -> None:
    if on:
        box.add_class(kind)
    else:
        box.remove_class(kind)
