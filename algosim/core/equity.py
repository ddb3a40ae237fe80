"""Equity curves: an account's position, cash and equity at every tick, from its fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["combined_equity", "equity_curve"]


def equity_curve(
    seq_of_fill: NDArray[np.int64],
    position_after: NDArray[np.float64],
    cash_after: NDArray[np.float64],
    price: NDArray[np.float64],
    initial_cash: float,
    *,
    initial_position: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return position, cash and equity after each tick's clearing.

    A fill in block m counts from tick m on; of several fills in one block the last counts. Fills of a
    block after the last tick (the end block) are left out.

    Parameters
    ----------
    seq_of_fill : int64[f]
        The block of each fill, ascending. Ticks are counted 1, 2, ..., n.
    position_after, cash_after : float64[f]
        The account after each fill.
    price : float64[n]
        The price at each tick.
    initial_cash, initial_position : float
        The account before the first fill.

    Returns
    -------
    position, cash, equity : float64[n]
        ``equity`` is ``cash + position * price`` in exactly these IEEE operations, so it equals a
        snapshot's equity bit for bit.
    """
    first_tick = np.minimum(seq_of_fill - 1, price.size)
    held = np.diff(first_tick, prepend=0, append=price.size)
    position = np.repeat(np.concatenate(([initial_position], position_after)), held)
    cash = np.repeat(np.concatenate(([initial_cash], cash_after)), held)
    return position, cash, cash + position * price


def combined_equity(
    curves: Sequence[NDArray[np.float64]], initial_cash: Sequence[float]
) -> NDArray[np.float64]:
    """Return the equity of several accounts on one market taken together.

    Parameters
    ----------
    curves : sequence of float64[<= n]
        One curve an account, each from tick 1 on. A shorter one (an account that was removed and is
        marked no further) keeps its last value.
    initial_cash : sequence of float
        Each account's initial cash, in the same order.

    Returns
    -------
    float64[n]
        The sum, as long as the longest curve.
    """
    total = np.zeros(max((curve.size for curve in curves), default=0))
    for curve, cash in zip(curves, initial_cash, strict=True):
        total[: curve.size] += curve
        total[curve.size :] += curve[-1] if curve.size else cash
    return total
