"""Lines that belong together, as the bands of one indicator do: they share a colour and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["families", "family"]

_PARTS = ("lower", "middle", "upper")


def family(label: str) -> str:
    """Return what a line is part of, ``"Bollinger(20, 2)"``; a line that stands alone is its own."""
    whole, _, part = label.rpartition(" ")
    return whole if part in _PARTS else label


def families(labels: Iterable[str]) -> dict[str, int]:
    """Return the number of each line's family by its label, counted from 0 as they appear."""
    numbers: dict[str, int] = {}
    return {label: numbers.setdefault(family(label), len(numbers)) for label in labels}
