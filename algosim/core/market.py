"""The market: when ticks arrive and what their prices are, as a function of seed and parameters.

Shocks belong to a tick's number. A parameter changed before tick n leaves the shocks of n and after as
they were, so two runs that differ in one parameter meet the same luck.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from algosim.core.processes import process
from algosim.core.randomness import stream
from algosim.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from algosim.config import Model, Schedule

__all__ = ["GivenMarket", "Market", "Ticks", "milliseconds_to_ns", "to_price"]

CHUNK = 4096
"""Shocks drawn and ticks computed at once; has no influence on the path."""

PRICE_CAP = 1e12
STATE_CAP = 1e6
"""Bounds that only an unstable Euler step or an absurd volatility ever meets; they keep numbers finite."""

LAST_NS = 2**62
"""No tick is later than this, 146 years; times and what is due after them fit 64 bits."""

NEVER = 2**63 - 1
"""When a tick comes that does not come any more [ns]."""


def milliseconds_to_ns(milliseconds: float) -> int:
    """Return a duration in whole nanoseconds; the one place where latency and gaps are rounded."""
    return round(milliseconds * 1e6)


@np.errstate(over="ignore")  # PRICE_CAP bounds what overflows
def to_price(x: NDArray[np.float64], model: Model) -> NDArray[np.float64]:
    """Map states to prices on the tick grid.

    ``exponential`` is ``P0 exp(x)``, at least one tick; ``additive`` is ``P0 + x``, not below ``floor``.
    Prices are rounded to ``tick_size`` because exp differs between processors in its last bit.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
    model : Model

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    if model.price_map == "exponential":
        price = model.P0 * np.exp(np.clip(x, -600.0, 600.0))
        lowest = model.tick_size or np.finfo(np.float64).tiny
    else:
        price = model.P0 + x
        lowest = model.floor
    price = np.minimum(price, PRICE_CAP)
    tick = model.tick_size
    if tick == 0.0:
        return np.maximum(price, lowest)
    fewest = math.ceil(lowest / tick * (1.0 - 1e-12))
    per_unit = round(1.0 / tick)
    if per_unit > 0 and abs(per_unit * tick - 1.0) < 1e-9:
        return np.maximum(np.rint(price * per_unit), fewest) / per_unit
    return np.maximum(np.rint(price / tick), fewest) * tick


class Ticks(NamedTuple):
    """Consecutive ticks ``first``, ``first + 1``, ...; arrays of shape (n,)."""

    first: int
    time: NDArray[np.int64]
    price: NDArray[np.float64]
    x: NDArray[np.float64]


class _Course:
    """Ticks 1, 2, ... handed out one after another from those that are known ahead.

    Attributes
    ----------
    seq, time, x, price
        Number, simulated time [ns], state and price of the last tick handed out (0, 0, x0, that price).
    """

    def __init__(self, model: Model) -> None:
        self.seq = 0
        self.time = 0
        self.x = model.x0
        self.price = float(to_price(np.array([model.x0]), model)[0])
        self._ahead: Ticks | None = None

    def peek_time(self) -> int:
        """Return the simulated time [ns] of the next tick under the present parameters."""
        ahead = self._look_ahead()
        return int(ahead.time[self.seq + 1 - ahead.first])

    def take(self, most: int, until: int | None = None) -> Ticks:
        """Hand out the next ticks: at least one, at most `most`, the others not after `until` [ns]."""
        ahead = self._look_ahead()
        start = self.seq + 1 - ahead.first
        stop = min(len(ahead.time), start + most)
        if until is not None:
            stop = max(start + 1, min(stop, int(np.searchsorted(ahead.time, until, side="right"))))
        taken = Ticks(self.seq + 1, ahead.time[start:stop], ahead.price[start:stop], ahead.x[start:stop])
        self.seq += stop - start
        self.time = int(taken.time[-1])
        self.x = float(taken.x[-1])
        self.price = float(taken.price[-1])
        return taken

    def _look_ahead(self) -> Ticks:
        ahead = self._ahead
        if ahead is None or self.seq + 1 >= ahead.first + len(ahead.time):
            ahead = self._ahead = self._compute()
        return ahead

    def _compute(self) -> Ticks:
        """Return ticks from the next one on."""
        raise NotImplementedError


class Market(_Course):
    """A market that draws its ticks.

    Parameters
    ----------
    model : Model
        Process, price map and tick size.
    schedule : Schedule
        Arrivals: fixed gaps, or exponential ones (Poisson arrivals).
    seed : int
    """

    def __init__(self, model: Model, schedule: Schedule, seed: int) -> None:
        super().__init__(model)
        self.model = model
        self.schedule = schedule
        self._path = stream(seed, "path")
        self._arrivals = stream(seed, "arrivals")
        self._drawn = 0
        self._eps = self._gaps = np.empty(0)

    def change(self, model: Model, schedule: Schedule) -> None:
        """Use these parameters from the next tick on."""
        self.model = model
        self.schedule = schedule
        self._ahead = None

    @np.errstate(over="ignore", invalid="ignore")  # STATE_CAP bounds what overflows
    def _compute(self) -> Ticks:
        """Compute the ticks after the last one handed out, to the end of the shocks drawn."""
        if self.seq == self._drawn:
            self._eps = self._path.standard_normal(CHUNK)
            self._gaps = self._arrivals.standard_exponential(CHUNK)
            self._drawn += CHUNK
        start = CHUNK - (self._drawn - self.seq)
        gap_ns = self._gap_ns(self._gaps[start:])
        time = self.time + np.cumsum(gap_ns)
        if time[0] > LAST_NS:
            msg = f"tick {self.seq} is the last of 146 simulated years; use shorter gaps or fewer ticks"
            raise ConfigError(msg)
        units = gap_ns.astype(np.float64) * (1e-9 / self.model.seconds_per_unit)
        a, b, s = process(self.model).coefficients(units)
        states = _states(self.x, a.data, (b + s * self._eps[start:]).data)
        x = np.fromiter(states, np.float64, len(time))
        fit = int(np.searchsorted(time, LAST_NS, side="right"))
        return Ticks(self.seq + 1, time[:fit], to_price(x[:fit], self.model), x[:fit])

    def _gap_ns(self, draws: NDArray[np.float64]) -> NDArray[np.int64]:
        if self.schedule.mode == "fixed":
            return np.full(len(draws), milliseconds_to_ns(self.schedule.dt_fixed_ms), dtype=np.int64)
        mean = self.schedule.dt_mean_ms * 1e6
        return np.maximum(np.rint(draws * mean), 1.0).astype(np.int64)


class GivenMarket(_Course):
    """The ticks that a `Market` drew elsewhere, for one who must not have the seed.

    Parameters
    ----------
    model : Model
        The run's at its start.
    blocks : iterator of Ticks
        All ticks up to the end of the run, in order; the market's changes of parameters are in them.
    """

    def __init__(self, model: Model, blocks: Iterator[Ticks]) -> None:
        super().__init__(model)
        self._blocks = blocks

    def change(self, model: Model, schedule: Schedule) -> None:
        """Do nothing: what comes has been drawn with these parameters."""

    def _compute(self) -> Ticks:
        nothing = np.array([self.x])
        return next(self._blocks, Ticks(self.seq + 1, np.array([NEVER]), nothing, nothing))


def _states(x: float, a: Iterable[float], c: Iterable[float]) -> Iterator[float]:
    """Iterate ``x = a x + c``, within the bounds of the state."""
    lowest, highest = -STATE_CAP, STATE_CAP
    for slope, shift in zip(a, c, strict=True):
        x = slope * x + shift
        if not lowest <= x <= highest:
            x = highest if x > 0.0 else lowest
        yield x
