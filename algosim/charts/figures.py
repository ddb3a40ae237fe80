"""The plotly figure of a run: price with what strategies drew and did, equity with drawdown, returns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from algosim.charts.families import families, family
from algosim.charts.flags import marks
from algosim.charts.palette import FONT
from algosim.charts.point_messages import is_beside, peak

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from algosim.charts.feed import Series, Trades
    from algosim.charts.palette import Palette

__all__ = ["MAX_LINES", "layout", "run_figure", "thinned", "traces"]

MAX_LINES = 6
"""Lines that strategies draw and a chart shows; more could not be told apart."""

NOTHING = np.empty(0)

_FEW = 40
"""Trades that have room for large markers."""

_PRICE, _EQUITY = (0.40, 1.0), (0.0, 0.33)
_PRICE_ABOVE, _BESIDE = (0.58, 1.0), (0.38, 0.52)
"""Where the price is when lines with a scale of their own stand below it: above it, they would hide it."""

_LEFT, _RIGHT = (0.0, 0.82), (0.86, 1.0)


def thinned(series: Series, most: int, focus: tuple[float, float] | None = None) -> NDArray[np.int64]:
    """Return indices of about `most` points: every bucket's first, lowest and highest price, and the last.

    With `focus`, two simulated times [s], that many between them, and fewer elsewhere.
    """
    n = len(series.time)
    if focus is None or n <= most:
        return _thin(series.price, 0, n, most)
    first, last = np.searchsorted(series.time, sorted(focus))
    start, stop = max(0, int(first) - 1), min(n, int(last) + 1)
    parts = ((0, start, most // 4), (start, stop, most), (stop, n, most // 4))
    return np.concatenate([_thin(series.price, *part) for part in parts])


def _thin(price: NDArray[np.float64], start: int, stop: int, most: int) -> NDArray[np.int64]:
    """Return the indices that stand for those from `start` on and before `stop`."""
    if stop - start <= most:
        return np.arange(start, stop)
    edges = np.linspace(start, stop, most // 3 + 1).astype(np.int64)
    keep = [edges[:-1], [stop - 1]]
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
        "marker": {
            "symbol": symbol,
            "size": 14 if len(trades.time) <= _FEW else 9,
            "color": colour,
            "line": {"width": 1, "color": edge},
        },
    }


def _line(name: str, x: object, y: object, colour: str, width: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    line = {"color": colour, "width": width}
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line, **more}


def traces(
    series: Series, colours: Palette, most: int = 2_000, focus: tuple[float, float] | None = None
) -> list[dict[str, Any]]:
    """Return the traces of a run's figure; always as many, in the same order, so that they can be updated.

    Parameters
    ----------
    series : Series
    colours : Palette
    most : int, optional
        Points per line, about; extremes of the price are kept.
    focus : (float, float), optional
        Simulated times [s] between which people look; there are as many points between them.
    """
    keep = thinned(series, most, focus)
    time = series.time[keep]
    drawn = [
        _line(
            "price",
            time,
            series.price[keep],
            colours.price,
            1.6,
            hovertemplate="%{y:,.4f}<extra>price</extra>",
        )
    ]
    drawn += _indicators(series, time, keep, colours)
    drawn.append(_markers(series.buys, "BUY", "triangle-up", colours.buy, colours.ground))
    drawn.append(_markers(series.sells, "SELL", "triangle-down", colours.sell, colours.ground))
    money = "%{y:,.2f}<extra>equity</extra>"
    axes = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    drawn.append(_line("peak", time, peak(series)[keep], "rgba(0,0,0,0)", 0, hoverinfo="skip", **axes))
    shade = {"fill": "tonexty", "fillcolor": _see_through(colours.loss, 0.22)}
    drawn.append(
        _line("equity", time, series.equity[keep], colours.equity, 2.4, hovertemplate=money, **axes, **shade)
    )
    drawn.append(_histogram(np.diff(np.log(series.price)) * 100.0, colours.equity))
    return drawn


def _indicators(
    series: Series, time: NDArray[np.float64], keep: NDArray[np.int64], colours: Palette
) -> list[dict[str, Any]]:
    """Return the lines of strategies, of which the legend names each family once."""
    labels = list(series.lines)[:MAX_LINES]
    numbers, drawn, named = families(labels), [], set()
    for i in range(MAX_LINES):
        name, x, y, axis, number = "", NOTHING, NOTHING, "y", i
        if i < len(labels):
            name, x, y = labels[i], time, series.lines[labels[i]][keep]
            number = numbers[name]
            axis = "y4" if is_beside(series.lines[name], series.price) else "y"
        template = f"%{{y:,.4f}}<extra>{name}</extra>"
        whole = family(name)
        first = bool(name) and whole not in named
        named.add(whole)
        shown = {"yaxis": axis, "showlegend": first, "hovertemplate": template, "legendgroup": whole}
        drawn.append(_line(whole, x, y, colours.lines[number], 2.2 if whole == name else 1.7, **shown))
    return drawn


def _histogram(changes: NDArray[np.float64], colour: str) -> dict[str, Any]:
    """Return the bars of a histogram; to count here is less to send than all that is counted."""
    counts, edges = np.histogram(changes, bins=41) if len(changes) else (np.empty(0), np.empty(1))
    return {
        "type": "bar",
        "name": "returns",
        "x": (edges[:-1] + edges[1:]) / 2.0,
        "y": counts.astype(np.float64),
        "xaxis": "x3",
        "yaxis": "y3",
        "showlegend": False,
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertemplate": "%{x:.3f} %: %{y}<extra></extra>",
    }


def _see_through(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def layout(colours: Palette, drawn: Sequence[Mapping[str, Any]] = (), *, height: int = 560) -> dict[str, Any]:
    """Return the layout of a run's figure, with room for what the traces `drawn` need."""
    beside = any(trace.get("yaxis") == "y4" for trace in drawn)

    def axis(title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return {
            "title": {"text": title, "font": {"size": 15, "color": colours.muted}},
            "gridcolor": colours.grid,
            "linecolor": colours.grid,
            "zeroline": False,
            "tickfont": {"size": 14, "color": colours.muted},
            "ticklabeloverflow": "allow",  # to look whether labels fit takes a fifth of plotly's time
            **more,
        }

    return {
        "height": height,
        "paper_bgcolor": colours.ground,
        "plot_bgcolor": colours.ground,
        "font": {"family": FONT, "size": 14, "color": colours.text},
        "margin": {"l": 92, "r": 16, "t": 32, "b": 52},
        "autosize": True,
        "hovermode": "x",
        "uirevision": "run",
        "legend": {
            "traceorder": "normal",
            "orientation": "h",
            "x": 0.0,
            "xanchor": "left",
            "y": 1.06,  # above the flags
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 15},
        },
        "xaxis": axis("", domain=list(_LEFT), anchor="y", showticklabels=False, hoverformat=",.2f"),
        "yaxis": axis("price", domain=list(_PRICE_ABOVE if beside else _PRICE), tickformat=",.2f", nticks=7),
        "xaxis2": axis(
            "simulated time, s", domain=list(_LEFT), anchor="y2", matches="x", nticks=8, hoverformat=",.2f"
        ),
        "yaxis2": axis("equity", domain=list(_EQUITY), tickformat=",.0f", nticks=5),
        "xaxis3": axis("return, %", domain=list(_RIGHT), anchor="y3", nticks=3, tickangle=0),
        "yaxis3": axis("", domain=[0.0, 1.0], anchor="x3", showticklabels=False, nticks=4),
        "yaxis4": axis("", domain=list(_BESIDE), anchor="x", visible=beside, nticks=4),
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
    import plotly.graph_objects as go  # noqa: PLC0415  (a second's work, and a page draws without)

    drawn = traces(series, colours, most)
    look = layout(colours, drawn)
    shapes, notes = marks(series, colours)
    look |= {"shapes": shapes, "annotations": notes}
    if title:
        look |= {
            "title": {"text": title, "font": {"size": 17}, "x": 0.01},
            "margin": look["margin"] | {"t": 72},
        }
    return go.Figure(data=drawn, layout=look)
