"""The style sheet of the dashboard: its rules from ``dashboard.css``, its colours from the palette."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from algosim.charts.palette import DARK, FONT, LIGHT, Palette

__all__ = ["sheet"]

_AROUND_DARK = (
    'body[data-jp-theme-light="false"] .algosim-dash:not(.algosim-light)',
    "body.vscode-dark .algosim-dash:not(.algosim-light)",
    ".algosim-dash.algosim-dark",
)
"""Where the page is dark and nobody asked for light, or somebody asked for dark."""


@cache
def sheet() -> str:
    """Return the style sheet as an HTML element."""
    rules = Path(__file__).with_name("dashboard.css").read_text("utf-8")
    light = f".algosim-dash{{--as-font:{FONT};{_colours(LIGHT)}}}"
    dark = f"{','.join(_AROUND_DARK)}{{{_colours(DARK)}}}"
    return f"<style>{light}{dark}\n{rules}</style>"


def _colours(colours: Palette) -> str:
    names = ("ground", "panel", "text", "muted", "grid", "buy", "sell", "equity", "loss", "mark")
    return "".join(f"--as-{name}:{getattr(colours, name)};" for name in names)
