"""How numbers are written for people: fixed decimals, thousands separators, a real minus sign, no NaN."""

from __future__ import annotations

import math

__all__ = ["NOTHING", "clock", "count", "money", "percent", "quantity", "ratio", "signed_money"]

NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def money(value: float) -> str:
    """Write an amount with two decimals, ``10,000.00``."""
    return _minus(f"{value:z,.2f}") if math.isfinite(value) else NOTHING


def signed_money(value: float) -> str:
    """Write a profit or loss with its sign, ``+12.30``."""
    return _minus(f"{value:+z,.2f}") if math.isfinite(value) else NOTHING


def percent(fraction: float) -> str:
    """Write a fraction in percent with one decimal, ``12.5 %``."""
    return _minus(f"{100.0 * fraction:z,.1f} %") if math.isfinite(fraction) else NOTHING


def ratio(value: float, error: float | None = None) -> str:
    """Write a ratio with two decimals, and its standard error: ``1.20 ± 0.31``."""
    if not math.isfinite(value):
        return NOTHING
    text = _minus(f"{value:z,.2f}")
    return text if error is None or not math.isfinite(error) else f"{text} ± {error:,.2f}"


def quantity(value: float) -> str:
    """Write a signed quantity without needless decimals, ``1,000`` or ``0.5``."""
    return _minus(f"{value:z,.6f}".rstrip("0").rstrip(".")) if math.isfinite(value) else NOTHING


def count(value: int) -> str:
    """Write a whole number, ``12,345``."""
    return f"{value:,}"


def clock(seconds: float) -> str:
    """Write simulated time as minutes, seconds and tenths, ``02:05.3``; hours where there are any."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"
