"""The same crossover on the same ticks in backtesting.py, the fastest peer that calls Python per tick."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["backtest"]


def _mean(price: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    return pd.Series(price).rolling(window).mean().to_numpy()


class Crossover(Strategy):
    """Long while the fast mean is above the slow one, short while it is below."""

    def init(self) -> None:
        """Compute both means for all ticks."""
        self.fast = self.I(_mean, self.data.Close, 20)
        self.slow = self.I(_mean, self.data.Close, 50)
        self.side = 0

    def next(self) -> None:
        """Trade where they have crossed."""
        fast, slow = self.fast[-1], self.slow[-1]
        side = 1 if fast > slow else -1 if fast < slow else self.side
        if side != self.side:
            self.side = side
            missing = side - self.position.size
            (self.buy if missing > 0 else self.sell)(size=abs(missing))


def backtest(price: NDArray[np.float64]) -> tuple[float, int]:
    """Return the seconds that backtesting.py takes, its statistics included, and how many trades it made."""
    index = pd.Timestamp(0) + pd.to_timedelta(np.arange(price.size), unit="s")
    bars = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), price), index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = Backtest(bars, Crossover, cash=1e9, commission=5e-5, trade_on_close=False)
        begun = time.perf_counter()
        stats = test.run()
        return time.perf_counter() - begun, int(stats["# Trades"])
