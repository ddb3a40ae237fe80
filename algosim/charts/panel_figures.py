"""A run's charts one by one, as data for plotly: its price, its equity, its returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.charts.figures import layout, traces
from algosim.charts.flags import marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.charts.feed import Series
    from algosim.charts.palette import Palette

__all__ = ["equity_figure", "price_figure", "returns_figure"]

MOST = 700
"""Points per line, about: as many as a chart has pixels across."""

_EQUITY, _RETURNS = slice(-3, -1), slice(-1, None)
"""Where they are among the traces of a run's figure; the price with all that belongs to it comes first."""


def price_figure(series: Series, colours: Palette) -> dict[str, Any]:
    """Return the price with what strategies drew and did, ``data`` and ``layout``."""
    drawn = traces(series, colours, MOST)[: _EQUITY.start]
    beside = any(trace.get("yaxis") == "y4" for trace in drawn)
    look = layout(colours, drawn)
    shapes, notes = marks(series, colours)
    axes = {
        "xaxis": _across(look["xaxis2"]),
        "yaxis": look["yaxis"] | {"domain": [0.26, 1.0] if beside else [0.0, 1.0]},
        "yaxis4": look["yaxis4"] | {"domain": [0.0, 0.2]},
    }
    return {"data": drawn, "layout": {**_common(look), **axes, "shapes": shapes, "annotations": notes}}


def equity_figure(series: Series, colours: Palette) -> dict[str, Any]:
    """Return the equity below its peak so far, ``data`` and ``layout``."""
    return _alone(traces(series, colours, MOST)[_EQUITY], colours, "2")


def returns_figure(series: Series, colours: Palette) -> dict[str, Any]:
    """Return the histogram of the changes of the price from tick to tick, ``data`` and ``layout``."""
    return _alone(traces(series, colours, MOST)[_RETURNS], colours, "3")


def _alone(drawn: Sequence[dict[str, Any]], colours: Palette, axes: str) -> dict[str, Any]:
    """Return traces that share a figure with others as a figure of their own."""
    look = layout(colours)
    up = look[f"yaxis{axes}"] | {"domain": [0.0, 1.0], "anchor": "x"}
    data = [{name: trace[name] for name in trace if name not in ("xaxis", "yaxis")} for trace in drawn]
    return {"data": data, "layout": {**_common(look), "xaxis": _across(look[f"xaxis{axes}"]), "yaxis": up}}


def _across(axis: dict[str, Any]) -> dict[str, Any]:
    kept = {name: axis[name] for name in axis if name != "matches"}
    return kept | {"domain": [0.0, 1.0], "anchor": "y"}


def _common(look: dict[str, Any]) -> dict[str, Any]:
    return {name: look[name] for name in look if not name.startswith(("xaxis", "yaxis", "height"))}
