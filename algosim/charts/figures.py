"""The plotly figure of a run: price with what strategies drew and did, equity with drawdown, returns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from algosim.charts.palette import FONT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algosim.charts.feed import Series, Trades
    from algosim.charts.palette import Palette

__all__ = ["MAX_LINES", "layout", "run_figure", "thinned", "traces"]

MAX_LINES = 6
"""Lines that strategies draw and a chart shows; more could not be told apart."""

_PRICE, _EQUITY, _RETURNS = (0.40, 1.0), (0.0, 0.31), (0.0, 0.31)
_LEFT, _RIGHT = (0.0, 0.74), (0.81, 1.0)


def thinned(series: Series, most: int) -> NDArray[np.int64]:
    """Return indices of about `most` points: every bucket's first, lowest and highest price, and the last."""
    n = len(series.time)
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, most // 3 + 1).astype(np.int64)
    price = series.price
    keep = [edges[:-1], [n - 1]]
    keep.append([a + int(np.argmin(price[a:b])) for a, b in pairwise(edges)])
    keep.append([a + int(np.argmax(price[a:b])) for a, b in pairwise(edges)])
    return np.unique(np.concatenate([np.asarray(part, dtype=np.int64) for part in keep]))


def _markers(trades: Trades, name: str, symbol: str, colour: str, edge: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": trades.time,
        "y": trades.price,
        "text": trades.text,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": symbol, "size": 11, "color": colour, "line": {"width": 1, "color": edge}},
    }


def _line(name: str, x: object, y: object, colour: str, width: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    line = {"color": colour, "width": width}
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line, **more}


def traces(series: Series, colours: Palette, most: int = 2_000) -> list[dict[str, Any]]:
    """Return the traces of a run's figure; always as many, in the same order, so that they can be updated.

    Parameters
    ----------
    series : Series
    colours : Palette
    most : int, optional
        Points per line, about; extremes of the price are kept.
    """
    keep = thinned(series, most)
    time = series.time[keep]
    drawn = [
        _line(
            "price",
            time,
            series.price[keep],
            colours.price,
            1.4,
            hovertemplate="%{y:,.4f}<extra>price</extra>",
        )
    ]
    labels = list(series.lines)[:MAX_LINES]
    for i in range(MAX_LINES):
        if i < len(labels):
            values = series.lines[labels[i]][keep]
            template = f"%{{y:,.4f}}<extra>{labels[i]}</extra>"
            drawn.append(_line(labels[i], time, values, colours.lines[i], 1.8, hovertemplate=template))
        else:
            drawn.append(_line("", [], [], colours.lines[i], 1.8, showlegend=False))
    drawn.append(_markers(series.buys, "BUY", "triangle-up", colours.buy, colours.ground))
    drawn.append(_markers(series.sells, "SELL", "triangle-down", colours.sell, colours.ground))
    peak = np.where(series.drawdown > -1.0, series.equity / (1.0 + series.drawdown), series.equity)[keep]
    money = "%{y:,.2f}<extra>equity</extra>"
    axes = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    drawn.append(_line("peak", time, peak, "rgba(0,0,0,0)", 0, hoverinfo="skip", **axes))
    shade = {"fill": "tonexty", "fillcolor": _see_through(colours.loss, 0.22)}
    drawn.append(
        _line("equity", time, series.equity[keep], colours.equity, 2.0, hovertemplate=money, **axes, **shade)
    )
    changes = np.diff(np.log(series.price)) * 100.0
    drawn.append(
        {
            "type": "histogram",
            "name": "returns",
            "x": changes,
            "nbinsx": 41,
            "xaxis": "x3",
            "yaxis": "y3",
            "showlegend": False,
            "marker": {"color": colours.equity, "line": {"width": 0}},
            "hovertemplate": "%{x} %: %{y}<extra></extra>",
        }
    )
    return drawn


def _see_through(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def marks(series: Series, colours: Palette) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the shapes and annotations of the interventions in view."""
    shapes, notes = [], []
    for mark in series.marks[-20:]:
        line = {"color": colours.mark, "width": 1.2, "dash": "dot"}
        shapes.append(
            {"type": "line", "xref": "x", "yref": "y domain", "x0": mark.time, "x1": mark.time,
             "y0": 0, "y1": 1, "line": line}
        )  # fmt: skip
        notes.append(
            {"x": mark.time, "y": 1.0, "xref": "x", "yref": "y domain", "text": mark.text, "showarrow": False,
             "textangle": -90, "xanchor": "right", "yanchor": "top",
             "font": {"size": 11, "color": colours.mark}}
        )  # fmt: skip
    return shapes, notes


def layout(colours: Palette, *, height: int = 560) -> dict[str, Any]:
    """Return the layout of a run's figure."""

    def axis(title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return {
            "title": {"text": title, "font": {"size": 13, "color": colours.muted}},
            "gridcolor": colours.grid,
            "linecolor": colours.grid,
            "zeroline": False,
            "tickfont": {"size": 12, "color": colours.muted},
            "automargin": True,
            **more,
        }

    return {
        "height": height,
        "paper_bgcolor": colours.ground,
        "plot_bgcolor": colours.ground,
        "font": {"family": FONT, "size": 13, "color": colours.text},
        "margin": {"l": 64, "r": 16, "t": 36, "b": 44},
        "hovermode": "x",
        "uirevision": "run",
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 13},
        },
        "xaxis": axis("", domain=[0, 1], anchor="y"),
        "yaxis": axis("price", domain=list(_PRICE), tickformat=",.2f"),
        "xaxis2": axis("simulated time, s", domain=list(_LEFT), anchor="y2", matches="x"),
        "yaxis2": axis("equity", domain=list(_EQUITY), tickformat=",.0f"),
        "xaxis3": axis("return per tick, %", domain=list(_RIGHT), anchor="y3"),
        "yaxis3": axis("", domain=list(_RETURNS), anchor="x3", showticklabels=False),
        "bargap": 0.04,
    }


def run_figure(series: Series, colours: Palette, *, title: str = "", most: int = 5_000) -> go.Figure:
    """Return the figure of a run.

    Parameters
    ----------
    series : Series
        What to draw, from a Feed.
    colours : Palette
    title : str, optional
    most : int, optional
        Points per line, about.
    """
    look = layout(colours)
    shapes, notes = marks(series, colours)
    look |= {"shapes": shapes, "annotations": notes}
    if title:
        look |= {
            "title": {"text": title, "font": {"size": 17}, "x": 0.01},
            "margin": look["margin"] | {"t": 72},
        }
    return go.Figure(data=traces(series, colours, most), layout=look)
