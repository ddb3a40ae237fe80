"""The settings that a dashboard has controls for: which, over which range, and when they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from algosim.config import Config

__all__ = ["GROUPS", "HOT_RELOAD", "SPEED", "Choice", "Entry", "Slider", "Switch", "counts", "value_of"]


class Slider(NamedTuple):
    """A number with the ends of its slider; others may lie beyond. `log` makes steps equal ratios."""

    key: str
    label: str
    low: float
    high: float
    log: bool = False


class Choice(NamedTuple):
    """One of some words."""

    key: str
    label: str
    options: tuple[str, ...]


class Entry(NamedTuple):
    """A number that is typed; with `fresh`, a whole one, and none asks for a fresh one."""

    key: str
    label: str
    fresh: bool = False


class Switch(NamedTuple):
    """On or off."""

    key: str
    label: str


SPEED = Slider("schedule.speed", "speed", 0.1, 1000.0, log=True)
"""It may be ``"max"`` too."""

HOT_RELOAD = Switch("ui.hot_reload", "hot reload when a file is saved")

GROUPS: dict[str, tuple[Slider | Choice | Entry, ...]] = {
    "Market": (
        Slider("model.sigma", "\N{GREEK SMALL LETTER SIGMA} volatility", 0.0, 1.0),
        Slider("model.kappa", "\N{GREEK SMALL LETTER KAPPA} reversion", 0.0, 5.0),
        Slider("model.theta", "\N{GREEK SMALL LETTER THETA} mean of x", -1.0, 1.0),
        Slider("model.mu", "\N{GREEK SMALL LETTER MU} drift", -0.5, 0.5),
        Slider("model.P0", "P\N{SUBSCRIPT ZERO} price at x = 0", 1.0, 1000.0, log=True),
    ),
    "Arrivals": (
        Choice("schedule.mode", "gaps between ticks", ("poisson", "fixed")),
        Slider("schedule.dt_mean_ms", "mean gap", 1.0, 5000.0, log=True),
        Slider("schedule.dt_fixed_ms", "gap", 1.0, 5000.0, log=True),
    ),
    "Costs": (
        Slider("execution.latency_ms", "latency", 0.0, 1000.0),
        Slider("execution.slippage_bps", "slippage", 0.0, 50.0),
        Slider("execution.commission_bps", "commission", 0.0, 50.0),
        Slider("execution.commission_fixed", "commission per fill", 0.0, 10.0),
    ),
    "At the next reset": (
        Entry("run.seed", "seed", fresh=True),
        Choice("model.type", "model", ("vasicek", "brownian", "gbm")),
        Choice("model.price_map", "price map", ("exponential", "additive")),
        Entry("portfolio.initial_cash", "initial cash"),
    ),
}
"""By title. A running market cannot change those of the last: ``Simulation.set`` notes them for the reset."""

_ONLY_IN: dict[str, tuple[str, tuple[str, ...]]] = {
    "model.kappa": ("model.type", ("vasicek",)),
    "model.theta": ("model.type", ("vasicek",)),
    "model.mu": ("model.type", ("brownian", "gbm")),
    "schedule.dt_mean_ms": ("schedule.mode", ("poisson",)),
    "schedule.dt_fixed_ms": ("schedule.mode", ("fixed",)),
}
"""Settings that mean nothing unless another one has such a value."""


def value_of(config: Config, key: str) -> Any:  # noqa: ANN401  (a setting's)
    """Return the value of a setting by its dotted key."""
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def counts(config: Config, key: str) -> bool:
    """Whether a setting means anything as the others are."""
    other, values = _ONLY_IN.get(key, (key, None))
    return values is None or value_of(config, other) in values
