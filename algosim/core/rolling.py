"""Indicators over a window of the last prices: mean, spread, lowest and highest."""

from __future__ import annotations

from collections import deque
from math import ceil, fsum, sqrt
from typing import ClassVar

from algosim.core.indicator import Indicator, as_price

__all__ = ["SMA", "STD", "Max", "Min"]

RESUM = 1_000
"""Updates after which a running sum is taken anew (rounded up to whole windows)."""


class SMA(Indicator[float]):
    """Mean of the last `window` prices.

    The window is a ring, gone round from the back; its running sum is taken anew, exactly, at the end of a
    lap once 1,000 updates have passed. Rounding therefore never piles up: with u = 2**-53, P the largest
    price in size and R the range of the prices, both over the last N + `window` with N = `window` x
    ceil(1000 / `window`), the value is within u (3 P + 2 (N + 2) R) of the true mean, after any number of
    updates. On 64-bit IEEE floats the same prices give the same bits everywhere.
    """

    __slots__ = ("_base", "_excess", "_laps", "_ring", "_weight")

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._ring = [0.0] * self.window
        self._weight = 1.0 / self.window
        self._base = 0.0  # a price of the window; sums of differences from it are small and lose little
        self._excess = 0.0  # sum over the window of price - base
        self._laps = 1  # until the next exact sum; the first also ends the warm-up

    def update(self, price: float) -> float | None:
        """Take one price in; return the mean of the window."""
        if type(price) is not float or not -1e100 < price < 1e100:
            price = as_price(price)
        ring = self._ring
        self._left = left = self._left - 1
        self._excess = excess = self._excess + (price - ring[left])
        ring[left] = price
        if not left:
            return self._end_lap(price)
        if self.value is None:
            return None
        self.value = value = self._base + excess * self._weight
        return value

    def _end_lap(self, price: float) -> float:
        self._left = self.window
        self._laps -= 1
        if not self._laps:
            self._laps = ceil(RESUM / self.window)
            self._base = price
            self._excess = fsum(self._ring) - price * self.window
        self.value = value = self._base + self._excess * self._weight
        return value


class STD(Indicator[float]):
    """Standard deviation of the last `window` prices (n - 1 in the denominator); exactly 0 if all are equal.

    Sums of differences from a fixed price near the mean, and of their squares, slide with the window. They
    are taken anew every 1,000 updates, and at once where an outlier that has left would drown what remains:
    the relative error stays below 1e-11 x (1000 + `window`).
    """

    __slots__ = ("_base", "_excess", "_laps", "_peak", "_ring", "_squares")

    least = 2

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._ring = [0.0] * self.window
        self._base = self._excess = self._squares = self._peak = 0.0
        self._laps = 1

    @property
    def mean(self) -> float | None:
        """Mean of the same prices."""
        return None if self.value is None else self._base + self._excess / self.window

    def update(self, price: float) -> float | None:
        """Take one price in; return the standard deviation of the window."""
        if type(price) is not float or not -1e100 < price < 1e100:
            price = as_price(price)
        self._left = left = self._left - 1
        base = self._base
        new, old = price - base, self._ring[left] - base
        self._ring[left] = price
        self._excess += new - old
        self._squares += (new - old) * (new + old)
        if not left:
            self._end_lap()
        elif self.value is None:
            return None
        if self._squares > self._peak:
            self._peak = self._squares
        spread = self._spread()
        if spread < 1e-4 * self._peak:
            self._resum()
            spread = max(self._spread(), 0.0)
        self.value = value = sqrt(spread / (self.window - 1))
        return value

    def _spread(self) -> float:
        return self._squares - self._excess * self._excess / self.window

    def _end_lap(self) -> None:
        self._left = self.window
        self._laps -= 1
        if not self._laps:
            self._resum()

    def _resum(self) -> None:
        self._laps = ceil(RESUM / self.window)
        self._base = base = fsum(self._ring) / self.window
        differences = [price - base for price in self._ring]
        self._excess = fsum(differences)
        self._squares = self._peak = fsum([d * d for d in differences])


class _Extreme(Indicator[float]):
    # Candidates, best first: a price goes when a better one comes after it, or when the window leaves it.

    __slots__ = ("_best", "_seen")

    sign: ClassVar[float]

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._best: deque[tuple[int, float]] = deque()
        self._seen = 0

    def update(self, price: float) -> float | None:
        """Take one price in; return the extreme of the window."""
        if type(price) is not float or not -1e100 < price < 1e100:
            price = as_price(price)
        height = self.sign * price
        best = self._best
        while best and best[-1][1] <= height:
            best.pop()
        best.append((self._seen, height))
        self._seen += 1
        if best[0][0] < self._seen - self.window:
            best.popleft()
        if self._left > 1:
            self._left -= 1
            return None
        self.value = value = self.sign * best[0][1]
        return value


class Min(_Extreme):
    """Lowest of the last `window` prices."""

    __slots__ = ()

    sign = -1.0


class Max(_Extreme):
    """Highest of the last `window` prices."""

    __slots__ = ()

    sign = 1.0
