"""Returns on a fixed grid of simulated time, and the Sharpe ratio with its standard error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MIN_RETURNS", "Changes", "Sharpe", "interval_changes", "interval_returns", "lo_se", "sharpe"]

MIN_RETURNS = 30

# Equal returns still differ by rounding; a spread this small beside the mean is no variance.
_ROUNDING = 1e-9


class Changes(NamedTuple):
    """The change of equity in each interval of a grid that has a tick.

    `interval` numbers them from 0; in the other ones of the `intervals` the change is zero. Kept sparse
    because one-second intervals of a market that ticks once a minute are mostly empty.
    """

    interval: NDArray[np.int64]
    change: NDArray[np.float64]
    intervals: int


class Sharpe(NamedTuple):
    """An annualised Sharpe ratio, its standard error, and the number of returns behind it.

    `value` and `se` are NaN when `reason` is not empty.
    """

    value: float
    se: float
    n: int
    reason: str


def interval_changes(
    time_ns: NDArray[np.int64],
    equity: NDArray[np.float64],
    initial: float,
    interval_ns: int,
    end_ns: int,
    *,
    start_ns: int = 0,
) -> Changes:
    """Return the change of equity over each interval that has a tick.

    The grid is ``start_ns, start_ns + interval_ns, ... <= end_ns``; the value at a grid time is the last
    one at or before it. What comes after the last grid time is left out.

    Parameters
    ----------
    time_ns : int64[n]
        When each value holds from, ascending.
    equity : float64[n]
        The values.
    initial : float
        The value at `start_ns`.
    interval_ns, end_ns, start_ns : int
        The grid.
    """
    count = (end_ns - start_ns) // interval_ns
    # The first grid time at or after each tick; a tick exactly on the grid belongs to the interval it ends.
    cell = (time_ns - (start_ns - interval_ns + 1)) // interval_ns
    last = cell <= count
    last[:-1] &= cell[1:] != cell[:-1]
    at = np.flatnonzero(last)
    change = np.diff(equity[at], prepend=initial)
    index = cell[at] - 1
    inside = index >= 0
    return Changes(index[inside], change[inside], count)


def interval_returns(
    time_ns: NDArray[np.int64],
    equity: NDArray[np.float64],
    initial_cash: float,
    interval_ns: int,
    end_ns: int,
) -> NDArray[np.float64]:
    """Return the change of equity over `initial_cash` for each interval of the grid from 0 to `end_ns`.

    The divisor is fixed because equity may go through zero.

    Parameters
    ----------
    time_ns, equity, interval_ns, end_ns
        As in `interval_changes`.
    initial_cash : float
        The equity at time 0, and the divisor.

    Returns
    -------
    float64[k]
        ``k = end_ns // interval_ns`` returns.
    """
    changes = interval_changes(time_ns, equity, initial_cash, interval_ns, end_ns)
    returns = np.zeros(changes.intervals)
    returns[changes.interval] = changes.change / initial_cash
    return returns


def lo_se(sharpe_per_period: float, n: int) -> float:
    """Return the standard error of a per-period Sharpe ratio from `n` independent returns.

    Source: A. Lo, The Statistics of Sharpe Ratios, Financial Analysts Journal 58(4), 2002.
    """
    return math.sqrt((1.0 + sharpe_per_period**2 / 2.0) / n)


def sharpe(returns: NDArray[np.float64], periods_per_year: float, *, count: int | None = None) -> Sharpe:
    """Return the annualised Sharpe ratio of `returns`, risk-free rate zero, with Lo's standard error.

    Parameters
    ----------
    returns : float64[m]
        Returns per period, in any unit.
    periods_per_year : float
        How many periods a year has; the ratio and its error are scaled by its root.
    count : int, optional
        The number of returns if `returns` leaves out ones that are zero.

    Returns
    -------
    Sharpe
        NaN with a reason for fewer than 30 returns, or when they do not vary.
    """
    n = returns.size if count is None else count
    if n < MIN_RETURNS:
        return Sharpe(math.nan, math.nan, n, f"{n} returns; at least {MIN_RETURNS} are needed")
    mean = float(returns.sum()) / n
    squares = float(np.square(returns - mean).sum()) + (n - returns.size) * mean**2
    deviation = math.sqrt(squares / (n - 1))
    if deviation <= _ROUNDING * abs(mean):
        return Sharpe(math.nan, math.nan, n, "the returns do not vary")
    per_period = mean / deviation
    scale = math.sqrt(periods_per_year)
    return Sharpe(per_period * scale, lo_se(per_period, n) * scale, n, "")
