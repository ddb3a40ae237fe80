"""Indicators that forget slowly instead of keeping a window: exponential mean and relative strength."""

from __future__ import annotations

from algosim.core.indicator import Indicator, as_price

__all__ = ["EMA", "RSI"]


class EMA(Indicator[float]):
    """Exponential mean: each price moves it by 2 / (`window` + 1) of the way; it starts at the first mean."""

    __slots__ = ("_level", "_rate")

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._rate = 2.0 / (self.window + 1)
        self._level = 0.0

    def update(self, price: float) -> float | None:
        """Take one price in; return the exponential mean."""
        if type(price) is not float or not -1e100 < price < 1e100:
            price = as_price(price)
        level = self._level
        if self.value is None:
            return self._warm_up(level, price)
        self.value = self._level = level = level + (price - level) * self._rate
        return level

    def _warm_up(self, level: float, price: float) -> float | None:
        self._left -= 1
        self._level = level + (price - level) / (self.window - self._left)  # the mean so far
        if not self._left:
            self.value = self._level
        return self.value


class RSI(Indicator[float]):
    """Wilder's relative strength index (1978), from 0 (only falls) to 100 (only rises); 50 where all is flat.

    100 x rise / (rise + fall), the mean rise and fall per tick over the first `window` changes, from then on
    moved by 1 / `window` of the way by each change. Needs `window` + 1 prices.
    """

    __slots__ = ("_fall", "_last", "_rise")

    beyond = 1

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._last: float | None = None
        self._rise = self._fall = 0.0

    def update(self, price: float) -> float | None:
        """Take one price in; return the index."""
        if type(price) is not float or not -1e100 < price < 1e100:
            price = as_price(price)
        last, self._last = self._last, price
        if self._left:
            self._left -= 1
        if last is None:
            return None
        change, count = price - last, self.window - self._left
        self._rise = rise = self._rise + ((change if change > 0.0 else 0.0) - self._rise) / count
        self._fall = fall = self._fall + ((-change if change < 0.0 else 0.0) - self._fall) / count
        if self._left:
            return None
        self.value = value = 100.0 * (rise / (rise + fall)) if rise + fall else 50.0
        return value
