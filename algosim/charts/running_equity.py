"""The equity of all accounts of a run together, with its drawdown, extended as the run goes on."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from algosim.core.equity import equity_curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from algosim.events import Fill

    Floats = NDArray[np.float64]

__all__ = ["RunningEquity"]


class RunningEquity:
    """Equity at every tick, and how far it is below its peak so far as a fraction, at most 0.

    An account that joins a run holds its initial cash from the first tick on, as it does in the metrics: a
    step in the curve would look like a gain.

    Parameters
    ----------
    initial_cash : float
        Of each account.

    Attributes
    ----------
    equity, drawdown : array of float
    accounts : int
        How many there are.
    """

    def __init__(self, initial_cash: float) -> None:
        self.equity = array("d")
        self.drawdown = array("d")
        self._initial_cash = initial_cash
        self._held: dict[str, tuple[float, float]] = {}  # position and cash after the last tick taken
        self._peak = 0.0
        self._taken = 0

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return len(self._held)

    def follow(self, accounts: Iterable[str], price: array[float], fills: Sequence[Fill]) -> None:
        """Extend both to the length of `price`.

        Parameters
        ----------
        accounts : iterable of str
            All that there are by now.
        price : array of float
            Of all ticks so far.
        fills : sequence of Fill
            All so far; one whose tick is still to come waits for it.
        """
        joined = [name for name in accounts if name not in self._held]
        if joined:
            self._held = dict.fromkeys((*self._held, *joined), (0.0, self._initial_cash))
            self._peak, self._taken = self._initial_cash * len(self._held), 0
        first = 0 if joined else len(self.equity)
        stop = bisect_right(fills, len(price), key=attrgetter("seq"))
        equity = self._curve(np.array(price[first:]), first, fills[self._taken : stop])
        self._taken = stop
        peak = np.maximum.accumulate(np.maximum(equity, self._peak))
        self._peak = float(peak[-1])
        with np.errstate(divide="ignore", invalid="ignore"):
            below = np.where(peak > 0.0, equity / peak - 1.0, 0.0)
        if joined:  # who reads in another thread has the old curves or the new ones
            self.equity, self.drawdown = array("d", equity.tobytes()), array("d", below.tobytes())
        else:
            self.equity.frombytes(equity.tobytes())
            self.drawdown.frombytes(below.tobytes())

    def _curve(self, price: Floats, first: int, fills: Sequence[Fill]) -> Floats:
        """Return the equity over the prices that follow tick `first`."""
        equity = np.zeros(len(price))
        by_account: dict[str, list[Fill]] = {}
        for fill in fills:
            by_account.setdefault(fill.id, []).append(fill)
        for name, (held, cash_before) in self._held.items():
            mine = by_account.get(name, [])
            position, cash, curve = equity_curve(
                np.array([fill.seq - first for fill in mine], dtype=np.int64),
                np.array([fill.position for fill in mine], dtype=np.float64),
                np.array([fill.cash for fill in mine], dtype=np.float64),
                price,
                cash_before,
                initial_position=held,
            )
            self._held[name] = float(position[-1]), float(cash[-1])
            equity += curve
        return equity
