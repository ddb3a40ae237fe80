"""Drawdown: how far, and for how long, an equity curve is below its highest value so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drawdown", "drawdown", "drawdown_series"]


class Drawdown(NamedTuple):
    """The deepest and the longest drawdown of a curve; they need not be the same one.

    `max_fraction` is a fraction of the peak (more than 1 when equity goes below zero), `max_currency`
    an amount. `duration_s` runs from a peak to the recovery of its value, or to the end.
    """

    max_fraction: float
    max_currency: float
    duration_s: float


def _running_peak(equity: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    peak = np.maximum.accumulate(equity)
    return np.maximum(peak, initial, out=peak)


def drawdown_series(
    equity: NDArray[np.float64], initial: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the drawdown at each point, as a fraction of the running peak and in currency.

    Parameters
    ----------
    equity : float64[n]
        The curve.
    initial : float
        Its value before the first point, which is the first peak.

    Returns
    -------
    fraction, currency : float64[n]
        Both are >= 0. The fraction is NaN where the peak is not above zero.
    """
    peak = _running_peak(equity, initial)
    currency = peak - equity
    fraction = np.full(equity.size, np.nan)
    np.divide(currency, peak, out=fraction, where=peak > 0.0)
    return fraction, currency


def drawdown(
    time_ns: NDArray[np.int64],
    equity: NDArray[np.float64],
    initial: float,
    end_ns: int,
    *,
    start_ns: int = 0,
) -> Drawdown:
    """Return the deepest drawdown and the duration of the longest one.

    Parameters
    ----------
    time_ns : int64[n]
        When each value holds from, ascending, in simulated nanoseconds.
    equity : float64[n]
        The values.
    initial : float
        The value at `start_ns`, where the curve begins.
    end_ns : int
        Where a drawdown that does not recover ends.
    start_ns : int, optional
        Where the curve begins.

    Returns
    -------
    Drawdown
        `max_fraction` is NaN if no peak is above zero.
    """
    fraction, currency = drawdown_series(equity, initial)
    # Peaks never fall, so undefined fractions come first and the last one tells whether any is defined.
    # A curve without points is its initial value alone.
    defined = fraction[-1] if equity.size else (0.0 if initial > 0.0 else np.nan)
    return Drawdown(
        max_fraction=float(defined if np.isnan(defined) else np.nanmax(fraction, initial=0.0)),
        max_currency=float(currency.max(initial=0.0)),
        duration_s=_longest_ns(time_ns, currency, start_ns, end_ns) / 1e9,
    )


def _longest_ns(time_ns: NDArray[np.int64], currency: NDArray[np.float64], start_ns: int, end_ns: int) -> int:
    at_peak = np.flatnonzero(currency == 0.0)
    when = np.concatenate(([start_ns], time_ns[at_peak]))
    # Two neighbouring points at the peak have nothing below it between them.
    below = np.diff(at_peak, prepend=-1) > 1
    longest = np.diff(when).max(initial=0, where=below)
    unrecovered = bool(currency.size) and currency[-1] > 0.0
    return max(int(longest), end_ns - int(when[-1]) if unrecovered else 0)
