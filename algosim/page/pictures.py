"""The figures that plotly draws in the browsers, about once a second; the dark theme as what differs."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from algosim.charts.palette import DARK, LIGHT
from algosim.charts.panel_figures import equity_figure, price_figure, returns_figure
from algosim.page.audience import plain
from algosim.page.frames import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from algosim.charts.feed import Feed, Series
    from algosim.charts.palette import Palette

__all__ = ["Pictures"]

PERIOD_S = 1.0
RETURNS = 2_000
"""Ticks whose changes are counted."""


class Pictures:
    """Draws what is new of a feed; belongs to the pump's thread."""

    def __init__(self) -> None:
        self._shown: object = None
        self._drawn_at = float("-inf")
        self._plain: dict[int, object] = {}

    def follow(self, feed: Feed, plain_windows: frozenset[int]) -> dict[str, str]:
        """Return text frames by slot: equity and returns when it is time, the price if it has moved."""
        now, state = time.monotonic(), (feed, feed.place())
        drawn: dict[str, str] = {}
        for window in plain_windows:
            if self._plain.get(window) != state:
                self._plain[window] = state
                series = feed.series(window=window)
                drawn[plain(window)] = _frame("price", price_figure, series)
        if state == self._shown or now - self._drawn_at < PERIOD_S:
            return drawn
        self._shown, self._drawn_at = state, now
        whole, last = feed.series(), feed.series(window=RETURNS)
        drawn["figure.equity"] = _frame("equity", equity_figure, whole)
        drawn["figure.returns"] = _frame("returns", returns_figure, last)
        return drawn


def _frame(name: str, figure: Callable[[Series, Palette], dict[str, Any]], series: Series) -> str:
    light, dark = (_plain(figure(series, colours)) for colours in (LIGHT, DARK))
    return text("figure", name=name, figure={"light": light, "dark": list(_differences(light, dark))})


def _differences(one: Any, other: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Yield where two figures differ and what the other has there: colours, not numbers."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _differences(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, (*path, at))
    elif one != other:
        yield path, other


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a figure holds)
    """Return what JSON can carry: arrays as plotly.js reads them, in single precision."""
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value, dtype="<f4")
        return {"dtype": "f4", "bdata": base64.b64encode(data.tobytes()).decode()}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
