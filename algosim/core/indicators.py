"""The indicators of ``ctx.indicator``; each costs the same per tick, whatever its window."""

# ruff: noqa: N802  (a method is named as the class that it makes: ctx.indicator.SMA)

from __future__ import annotations

from math import inf
from typing import NamedTuple, NoReturn, TypeVar

from algosim.core.indicator import Indicator
from algosim.core.rolling import SMA, STD, Max, Min
from algosim.core.smoothed import EMA, RSI
from algosim.errors import ConfigError, did_you_mean

__all__ = [
    "EMA",
    "MAX_MADE",
    "RSI",
    "SMA",
    "STD",
    "Bands",
    "Bollinger",
    "Indicator",
    "Indicators",
    "Max",
    "Min",
    "ZScore",
]

MAX_MADE = 1_000
"""Indicators that one strategy can make; many more mean that it makes them in ``on_tick``."""


class ZScore(Indicator[float]):
    """How many standard deviations the price is above the mean, both of the last `window` prices.

    0 where all prices of the window are equal. The present price is part of the window, so the value is at
    most (`window` - 1) / sqrt(`window`) in size.
    """

    __slots__ = ("_std",)

    least = 2

    def __init__(self, window: float) -> None:
        super().__init__(window)
        self._std = STD(self.window)

    def update(self, price: float) -> float | None:
        """Take one price in; return its z-score."""
        std, mean = self._std.update(price), self._std.mean
        if std is None or mean is None:
            self._left -= 1
            return None
        self.value = value = (float(price) - mean) / std if std else 0.0
        return value


class Bands(NamedTuple):
    """Bollinger bands at one tick."""

    lower: float
    middle: float
    upper: float


class Bollinger(Indicator[Bands]):
    """Mean of the last `window` prices, and `width` standard deviations (n - 1) to either side.

    Parameters
    ----------
    window : int
        Number of prices, at least 2.
    width : float
        Half width of the band [standard deviations], above 0.
    """

    __slots__ = ("_std", "width")

    least = 2

    def __init__(self, window: float, width: float = 2.0) -> None:
        super().__init__(window)
        if isinstance(width, (bool, str)) or not hasattr(width, "__float__") or not 0.0 < width < inf:
            msg = f"Bollinger(window, width) takes a width above 0, for example 2.0; got {width!r}"
            raise ConfigError(msg)
        self.width = float(width)
        self._std = STD(self.window)

    @property
    def label(self) -> str:
        """The indicator as a learner writes it: ``"Bollinger(20, 2)"``."""
        return f"Bollinger({self.window}, {self.width:g})"

    def update(self, price: float) -> Bands | None:
        """Take one price in; return the bands."""
        std, mean = self._std.update(price), self._std.mean
        if std is None or mean is None:
            self._left -= 1
            return None
        half = self.width * std
        self.value = bands = Bands(mean - half, mean, mean + half)
        return bands


Made = TypeVar("Made", bound=Indicator[float] | Indicator[Bands])


class Indicators:
    """What ``ctx.indicator`` offers: ``ctx.indicator.SMA(20)`` makes an indicator and keeps track of it.

    Attributes
    ----------
    made : list of Indicator
        All indicators made so far, in order.
    """

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made: list[Indicator[float] | Indicator[Bands]] = []

    def SMA(self, window: float) -> SMA:
        """Make a simple moving average."""
        return self._track(SMA(window))

    def EMA(self, window: float) -> EMA:
        """Make an exponential moving average."""
        return self._track(EMA(window))

    def STD(self, window: float) -> STD:
        """Make a rolling standard deviation."""
        return self._track(STD(window))

    def ZScore(self, window: float) -> ZScore:
        """Make a rolling z-score."""
        return self._track(ZScore(window))

    def RSI(self, window: float) -> RSI:
        """Make a relative strength index."""
        return self._track(RSI(window))

    def Bollinger(self, window: float, width: float = 2.0) -> Bollinger:
        """Make Bollinger bands."""
        return self._track(Bollinger(window, width))

    def Min(self, window: float) -> Min:
        """Make a rolling minimum."""
        return self._track(Min(window))

    def Max(self, window: float) -> Max:
        """Make a rolling maximum."""
        return self._track(Max(window))

    def __getattr__(self, name: str) -> NoReturn:
        """Explain an unknown name; only called where ordinary lookup failed."""
        known = [word for word in dir(type(self)) if not word.startswith("_") and word != "made"]
        msg = f"there is no indicator {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}"
        raise AttributeError(msg)

    def _track(self, indicator: Made) -> Made:
        if len(self.made) >= MAX_MADE:
            msg = (
                f"more than {MAX_MADE:,} indicators; make each once, in init(ctx): "
                f"ctx.name = ctx.indicator.{indicator.label}, and call ctx.name.update(price) in on_tick"
            )
            raise ConfigError(msg)
        self.made.append(indicator)
        return indicator
