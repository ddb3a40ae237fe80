"""Metrics: the figures that sum up what an account, or several together, did in a span of time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from algosim.core.activity import Activity, Ledger, Span, activity, held_ns, holdings, together
from algosim.core.drawdown import Drawdown, drawdown, drawdown_series
from algosim.core.equity import combined_equity, equity_curve
from algosim.core.returns import Sharpe, interval_changes, interval_returns, lo_se, sharpe
from algosim.core.roundtrips import RoundTrip, fill_columns, round_trips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from algosim.events import Fill

__all__ = [
    "Drawdown",
    "Ledger",
    "Metrics",
    "RoundTrip",
    "Sharpe",
    "combined_equity",
    "drawdown",
    "drawdown_series",
    "equity_curve",
    "exposure",
    "interval_returns",
    "lo_se",
    "round_trips",
    "sharpe",
    "summary",
    "total",
    "window_summary",
]

Metrics = dict[str, float | int | str]


def exposure(fills: Sequence[Fill], end_ns: int, *, start_ns: int = 0) -> float:
    """Return the fraction of simulated time in which the account's position was not zero.

    A position holds from its fill's ``ts_sim`` to the next fill's, or to `end_ns`. NaN for an empty span.
    """
    held = held_ns(*holdings(fill_columns(fills), Span(start_ns, end_ns)))
    return _ratio(held, end_ns - start_ns)


def summary(
    *,
    time_ns: NDArray[np.int64],
    price: NDArray[np.float64],
    fills: Sequence[Fill],
    initial_cash: float,
    end_ns: int,
    interval_ns: int,
    seconds_per_year: float,
    start_ns: int = 0,
) -> Metrics:
    """Return the metrics of one account from `start_ns` to `end_ns`.

    Parameters
    ----------
    time_ns, price : int64[n], float64[n]
        Every tick of the market, from tick 1 on. Of an account that was removed: up to the last tick at
        which it was marked, with that tick's time as `end_ns`.
    fills : sequence of Fill
        Every fill of the account, in order.
    initial_cash : float
        Its cash before the first fill.
    end_ns : int
        The end of simulated time.
    interval_ns : int
        Grid of the returns behind the Sharpe ratio.
    seconds_per_year : float
        Simulated seconds that count as a year.
    start_ns : int, optional
        When the account began, where that was not at time 0.

    Returns
    -------
    dict
        ``final_equity``, ``pnl`` (= ``realized`` + ``unrealized``), ``return_fraction``;
        ``max_drawdown`` (fraction of the peak), ``max_drawdown_currency``, ``drawdown_duration_s``;
        ``sharpe``, ``sharpe_se``, ``sharpe_note`` (why it is undefined, or empty); ``round_trips`` (closed
        ones), ``win_rate``, ``avg_trade_pnl``, ``avg_hold_s``; ``exposure`` (fraction of the time);
        ``fills`` (what faces show as "Trades": fills, not round trips); ``turnover`` (notional over
        initial cash), ``commission``, ``slippage`` (both in currency), ``costs`` (their sum); ``ticks``,
        ``duration_s``. NaN where undefined.
    """
    span = Span(start_ns, end_ns)
    done = activity(time_ns, price, Ledger(fills, initial_cash), span)
    return _figures(done, span, interval_ns, seconds_per_year)


def window_summary(
    *,
    time_ns: NDArray[np.int64],
    price: NDArray[np.float64],
    fills: Sequence[Fill],
    initial_cash: float,
    end_ns: int,
    window_ns: int,
    interval_ns: int,
    seconds_per_year: float,
    start_ns: int = 0,
) -> Metrics:
    """Return the metrics of one account over the last `window_ns` before `end_ns`.

    Takes and returns what `summary` does, and takes time in proportion to the window. Equity at the window's
    start takes the place of initial cash; ``realized`` is what was realised within the window, and
    ``unrealized`` the change of what is not. A fill belongs to the window if the tick that cleared it does,
    and a round trip if the fill that closed it does. In a run shorter than the window, all of it counts.
    """
    span = Span(max(start_ns, end_ns - window_ns), end_ns)
    done = activity(time_ns, price, Ledger(fills, initial_cash), span)
    return _figures(done, span, interval_ns, seconds_per_year)


def total(
    *,
    time_ns: NDArray[np.int64],
    price: NDArray[np.float64],
    accounts: Sequence[Ledger],
    end_ns: int,
    interval_ns: int,
    seconds_per_year: float,
    window_ns: int | None = None,
) -> Metrics:
    """Return the metrics of several accounts on one market taken together.

    Equity curves add up (an account holds its initial cash before its first fill, and its last equity
    once it was removed). Round trips are those of the single accounts. Exposure is the time in which any
    of them has a position, opposite ones included.

    Parameters
    ----------
    accounts : sequence of Ledger
        At least one.
    window_ns : int, optional
        Look at the last so many nanoseconds only, as `window_summary` does.
    """
    span = Span(0 if window_ns is None else max(0, end_ns - window_ns), end_ns)
    done = together([activity(time_ns, price, account, span) for account in accounts])
    return _figures(done, span, interval_ns, seconds_per_year)


def _figures(done: Activity, span: Span, interval_ns: int, seconds_per_year: float) -> Metrics:
    pnl = float(done.equity[-1]) - done.base
    deepest = drawdown(done.time_ns, done.equity, done.base, span.end_ns, start_ns=span.start_ns)
    ratio = _sharpe(done, span, interval_ns, seconds_per_year)
    trips = done.trip_pnl.size
    flows = done.flows
    return {
        "final_equity": float(done.equity[-1]),
        "pnl": pnl,
        "realized": flows.realized,
        # The difference of sums would leave a rounding error where there is no position.
        "unrealized": 0.0 if done.flat else pnl - flows.realized,
        "return_fraction": _ratio(pnl, done.base),
        "max_drawdown": deepest.max_fraction,
        "max_drawdown_currency": deepest.max_currency,
        "drawdown_duration_s": deepest.duration_s,
        "sharpe": ratio.value,
        "sharpe_se": ratio.se,
        "sharpe_note": ratio.reason,
        "round_trips": trips,
        "win_rate": _ratio(int(np.count_nonzero(done.trip_pnl > 0.0)), trips),
        "avg_trade_pnl": _ratio(float(done.trip_pnl.sum()), trips),
        "avg_hold_s": _ratio(int(done.trip_hold_ns.sum()) / 1e9, trips),
        "exposure": _ratio(held_ns(done.held_from, done.held_to), span.end_ns - span.start_ns),
        "fills": flows.fills,
        "turnover": _ratio(flows.notional, done.base),
        "commission": flows.commission,
        "slippage": flows.slippage,
        "costs": flows.commission + flows.slippage,
        "ticks": done.time_ns.size - 1,
        "duration_s": (span.end_ns - span.start_ns) / 1e9,
    }


def _sharpe(done: Activity, span: Span, interval_ns: int, seconds_per_year: float) -> Sharpe:
    changes = interval_changes(
        done.time_ns, done.equity, done.base, interval_ns, span.end_ns, start_ns=span.start_ns
    )
    # Dividing every change by the same cash would change neither the ratio nor its error.
    return sharpe(changes.change, seconds_per_year * 1e9 / interval_ns, count=changes.intervals)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
