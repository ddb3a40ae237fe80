"""The colours and type of everything that is drawn, for a dark and a light ground.

Series colours are Okabe and Ito's (2008), which people with any common colour vision tell apart; on the dark
ground they are lifted until they stand out from the back row.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["DARK", "FONT", "LIGHT", "Palette", "Theme", "palette"]

Theme = Literal["dark", "light"]

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


class Palette(NamedTuple):
    """Colours by what they stand for, as hexadecimal text.

    `lines` are for indicators and several strategies, in order.
    """

    ground: str
    panel: str
    text: str
    muted: str
    grid: str
    price: str
    buy: str
    sell: str
    equity: str
    loss: str
    mark: str
    lines: tuple[str, ...]


LIGHT = Palette(
    ground="#ffffff",
    panel="#f6f7f9",
    text="#1b1f24",
    muted="#5c6670",
    grid="#e3e6ea",
    price="#3b4652",
    buy="#008a64",
    sell="#c94f00",
    equity="#0068a8",
    loss="#c0392b",
    mark="#8a5aa8",
    lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a67c00", "#56b4e9"),
)

DARK = Palette(
    ground="#11151a",
    panel="#1a2027",
    text="#eceff2",
    muted="#9aa5b1",
    grid="#2a323b",
    price="#d5dbe1",
    buy="#2fd6a3",
    sell="#ff9248",
    equity="#5cb8f0",
    loss="#ff7466",
    mark="#d3a4ec",
    lines=("#56b4e9", "#ff9d47", "#2fd6a3", "#e69ac4", "#f0d43a", "#9ad0f5"),
)


def palette(theme: Theme) -> Palette:
    """Return the palette of a theme."""
    return DARK if theme == "dark" else LIGHT
