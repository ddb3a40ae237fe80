"""How the command line writes numbers, times and other people's text."""

from __future__ import annotations

import math

__all__ = ["clean", "clock", "money", "number", "percent", "plural", "price", "quantity", "rate", "whole"]

UNKNOWN = "n/a"


def number(value: float, decimals: int = 2) -> str:
    """Return a number with fixed decimals and thousands separators; ``n/a`` for NaN."""
    return UNKNOWN if math.isnan(value) else f"{value:,.{decimals}f}"


def whole(value: float) -> str:
    """Return a count with thousands separators."""
    return number(value, 0)


def money(value: float) -> str:
    """Return an amount of currency with its sign where it is a change: ``+12.34``."""
    return UNKNOWN if math.isnan(value) else f"{value:+,.2f}"


def percent(fraction: float) -> str:
    """Return a fraction as per cent."""
    return UNKNOWN if math.isnan(fraction) else f"{100 * fraction:,.2f} %"


def price(value: float) -> str:
    """Return a price, as finely as the default ``model.tick_size``."""
    return number(value, 4)


def rate(value: float) -> str:
    """Return a number of events per second: a decimal only where it says anything."""
    return number(value, 1 if value < 1000 else 0)


def quantity(value: float) -> str:
    """Return a quantity of the asset with as many digits as it needs, at most six."""
    return f"{value:,.6g}"


def clock(ns: int) -> str:
    """Return simulated time [ns] in seconds."""
    return f"{ns / 1e9:,.3f} s"


def plural(count: int, word: str) -> str:
    """Return ``1 tick`` or ``2,000 ticks``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def clean(text: str) -> str:
    """Return text on one line, without what could steer a terminal."""
    return "".join(char if char.isprintable() else " " if char in "\n\t" else "?" for char in text)
