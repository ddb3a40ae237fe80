"""The style sheet of the dashboard: that of every dashboard, and what JupyterLab's widgets need besides."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from algosim.board import style

__all__ = ["sheet"]

_AROUND_DARK = (
    'body[data-jp-theme-light="false"] .algosim-board:not(.algosim-light)',
    "body.vscode-dark .algosim-board:not(.algosim-light)",
)
"""Where the page is dark and nobody asked for light."""


@cache
def sheet() -> str:
    """Return the style sheet as an HTML element."""
    rules = Path(__file__).with_name("dashboard.css").read_text("utf-8")
    return f"<style>{style.sheet(*_AROUND_DARK)}\n{rules}</style>"
