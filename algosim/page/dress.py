"""Streamlit's own widgets in the colours and the type of everything else."""

from __future__ import annotations

from streamlit import config

from algosim.charts.palette import DARK, FONT, LIGHT, Palette

__all__ = ["dress"]


def dress() -> None:
    """Set Streamlit's themes; browsers that come from then on have them."""
    config.set_option("client.showErrorDetails", "none")  # a traceback goes to the terminal
    config.set_option("theme.font", FONT)
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        for option, colour in _options(colours).items():
            config.set_option(f"theme.{name}.{option}", colour)


def _options(colours: Palette) -> dict[str, str]:
    return {
        "primaryColor": colours.equity,
        "backgroundColor": colours.ground,
        "secondaryBackgroundColor": colours.panel,
        "textColor": colours.text,
        "borderColor": colours.grid,
        "sidebar.backgroundColor": colours.panel,
        "sidebar.secondaryBackgroundColor": colours.ground,
    }
