"""Interventions on a plotly chart: a dotted line at each, and above the price a flag with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosim.charts.feed import Mark, Series
    from algosim.charts.palette import Palette

__all__ = ["marks"]

_CHARACTER, _GAP = 0.0095, 0.015
"""The parts of a chart's width that a character of a flag takes, and the room between two flags."""

_LONGEST = 34
"""Characters of a flag; the pointer shows the rest."""


def marks(series: Series, colours: Palette) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the shapes and annotations of the interventions in view.

    Flags stand above the price. One that has no room beside newer ones is counted on the next of them, where
    the pointer shows it.
    """
    shown = sorted(series.marks[-20:])
    line = {"color": colours.mark, "width": 1.6, "dash": "dot"}
    place = {"xref": "x", "yref": "y domain"}
    shapes = [
        {"type": "line", "line": line, "x0": time, "x1": time, "y0": 0, "y1": 1, **place}
        for time in dict.fromkeys(mark.time for mark in shown)
    ]
    look = {
        "font": {"size": 13, "color": colours.mark},
        "bgcolor": colours.ground,
        "showarrow": False,
        "yanchor": "bottom",
        "y": 1.0,
        **place,
    }
    return shapes, [flag | look for flag in _flags(shown, series)]


def _flags(shown: Sequence[Mark], series: Series) -> list[dict[str, Any]]:
    """Return where flags stand and what they say, the newest first."""
    begin = series.time[0] if len(series.time) else 0.0
    span = float(series.time[-1] - begin) if len(series.time) > 1 else 1.0
    flags: list[tuple[str, list[Mark]]] = []
    free = 1.0
    for mark in reversed(shown):
        at, width = (mark.time - begin) / span, _CHARACTER * (min(len(mark.text), _LONGEST) + 3)
        side = "left" if at + width <= free else "right"
        if flags and side == "right" and not width <= at <= free:
            flags[-1][1].append(mark)
            continue
        free = (at if side == "left" else at - width) - _GAP
        flags.append((side, [mark]))
    return [
        {
            "x": marks[0].time,
            "xanchor": side,
            "text": _shortened(marks[0].text) + (f" +{len(marks) - 1}" if len(marks) > 1 else ""),
            "hovertext": "<br>".join(mark.text for mark in marks),
        }
        for side, marks in flags
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
