"""What makes an order acceptable: one check for the strategy's call, its host and the broker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from algosim.errors import did_you_mean

if TYPE_CHECKING:
    from algosim.events import Side

__all__ = ["MAX_TAG", "clean_quantity", "clean_side", "clean_tag", "exposure_fault", "signed"]

MAX_TAG = 100
"""Longest tag of an order, in characters."""


def signed(side: str, qty: float) -> float:
    """Return the quantity with the sign of its side."""
    return qty if side == "BUY" else -qty


def clean_side(side: object) -> Side:
    """Return the side, or raise ValueError with the remedy."""
    hint = ""
    if isinstance(side, str):
        if side == "BUY":
            return "BUY"
        if side == "SELL":
            return "SELL"
        hint = did_you_mean(side, ("BUY", "SELL"))
    msg = f'side must be "BUY" or "SELL", got {_shown(side)}{hint}'
    raise ValueError(msg)


def clean_quantity(qty: object) -> float:
    """Return the quantity as a built-in float, or raise ValueError with the remedy."""
    if isinstance(qty, bool) or not hasattr(qty, "__float__"):
        msg = f"qty must be a number, got {_shown(qty)}"
        raise ValueError(msg)
    try:
        number = float(qty)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"qty must be a number, got {_shown(qty)}"
        raise ValueError(msg) from error
    if not math.isfinite(number) or number <= 0.0:
        msg = f"qty must be positive and finite, got {number!r}; the side gives the direction"
        raise ValueError(msg)
    return number


def clean_tag(tag: object) -> str:
    """Return the tag as text (None is empty), or raise ValueError with the remedy."""
    if tag is None:
        return ""
    if not isinstance(tag, str):
        msg = f"tag must be text, got {_shown(tag)}"
        raise ValueError(msg)  # noqa: TRY004  (all faults of an order are one kind for its caller)
    text = str.__str__(tag)  # str(tag) would write the member's name for an Enum of texts
    if len(text) > MAX_TAG:
        msg = f"tag has {len(text)} characters; at most {MAX_TAG} are allowed"
        raise ValueError(msg)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        msg = f"tag is not text that UTF-8 can write: {text!a}"
        raise ValueError(msg) from error
    return text


def exposure_fault(committed: float, change: float, limit: float) -> str:
    """Return why an order would take position plus pending beyond the limit, or ``""``."""
    after = committed + change
    if abs(after) <= limit or abs(after) < abs(committed):
        return ""
    return f"position plus pending orders would be {after:,.6g}, beyond portfolio.max_position {limit:,.6g}"


def _shown(value: object) -> str:
    return f"{type(value).__name__} {value!a}"[:80]
