"""The stylesheet that all dashboards share: rules from ``board.css``, colours and type from the palette."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from algosim.charts.palette import DARK, FONT, LIGHT, Palette

__all__ = ["ROOT", "sheet"]

ROOT = "algosim-board"
"""The class of the element that a dashboard stands in; with ``algosim-dark`` too, it is dark."""


@cache
def sheet(*dark: str) -> str:
    """Return the rules, without an element around them.

    The colours are ``--as-ground --as-panel --as-text --as-muted --as-grid --as-price --as-buy --as-sell
    --as-equity --as-loss --as-mark`` and the type is ``--as-font``.

    Parameters
    ----------
    dark : str
        Further selectors of a root on dark ground.
    """
    rules = Path(__file__).with_name("board.css").read_text("utf-8")
    everywhere_dark = ",".join((f".{ROOT}.algosim-dark", *dark))
    return (
        f".{ROOT}{{--as-font:{FONT};{_variables(LIGHT)}}}\n{everywhere_dark}{{{_variables(DARK)}}}\n{rules}"
    )


def _variables(colours: Palette) -> str:
    single = (name for name in Palette._fields if name != "lines")
    return "".join(f"--as-{name}:{getattr(colours, name)};" for name in single)
