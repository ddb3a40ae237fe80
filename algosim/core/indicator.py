"""What every indicator shares: its window, its value, its warm-up, and what counts as a price."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from algosim.errors import ConfigError

__all__ = ["MAX_WINDOW", "Indicator", "as_price"]

MAX_WINDOW = 1_000_000
"""Longest window [prices]; a slip of the keyboard must not take the machine's memory."""

Value = TypeVar("Value")


def as_price(price: float) -> float:
    """Return a price as a built-in float.

    Raises
    ------
    ConfigError
        If it is not a finite number below 1e100 in size (whose square could not be summed).
    """
    if price is None:
        msg = "the price is None: an indicator has no value while it warms up, so test `is None` first"
        raise ConfigError(msg)
    if isinstance(price, (str, bytes)):
        msg = f"the price must be a number, got the text {price!r}"
        raise ConfigError(msg)
    try:
        number = float(price)
    except (TypeError, OverflowError) as error:
        msg = f"the price must be a number such as tick['price'], not {type(price).__name__} ({error})"
        raise ConfigError(msg) from error
    if not -1e100 < number < 1e100:
        msg = f"the price must be finite and below 1e100 in size, got {number!r}"
        raise ConfigError(msg)
    return number


def _whole_window(name: str, window: float, least: int) -> int:
    remedy = f"{name}(window) takes a whole number of prices from {least} to {MAX_WINDOW:,}"
    if isinstance(window, (bool, str, bytes)) or not hasattr(window, "__float__"):
        msg = f"{remedy}, for example {name}(20); got {window!r}"
        raise ConfigError(msg)
    if not least <= window <= MAX_WINDOW:
        msg = f"{remedy}; got {window!r}"
        raise ConfigError(msg)
    if window != int(window):
        msg = f"{remedy}; got {window!r}, did you mean {max(least, round(window))}?"
        raise ConfigError(msg)
    return int(window)


class Indicator(Generic[Value]):
    """What all indicators share; each has ``update(price)``, to be called once a tick.

    ``update`` returns the new value as built-in floats, or None while the indicator warms up, and raises
    `ConfigError` (a ``ValueError``) for a price that is not a finite number; the indicator is then unchanged.

    Parameters
    ----------
    window : int
        Number of prices; a float without fraction counts as an int.

    Attributes
    ----------
    value
        What the last update returned.
    window : int

    Raises
    ------
    ConfigError
        If the window is not a whole number in range.
    """

    __slots__ = ("_left", "value", "window")

    least: ClassVar[int] = 1
    """Smallest window."""
    beyond: ClassVar[int] = 0
    """Prices needed for the first value beyond those of the window."""

    def __init__(self, window: float) -> None:
        self.window = _whole_window(type(self).__name__, window, self.least)
        self.value: Value | None = None
        self._left = self.window + self.beyond

    @property
    def label(self) -> str:
        """The indicator as a learner writes it: ``"SMA(20)"``."""
        return f"{type(self).__name__}({self.window})"

    @property
    def ready(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def warmup(self) -> str:
        """Prices seen of those needed for the first value: ``"12/50"``, in the end ``"50/50"``."""
        needed = self.window + self.beyond
        return f"{needed if self.ready else needed - self._left}/{needed}"

    def __repr__(self) -> str:
        return f"<{self.label} {self.value if self.ready else 'warming up ' + self.warmup}>"
