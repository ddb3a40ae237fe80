"""The figure of a whole run as a widget, in the page's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from algosim.charts.whole_run import drawn
from algosim.notebook import theme as page
from algosim.notebook.widget_code import widget_code

if TYPE_CHECKING:
    from algosim.charts.feed import Series
    from algosim.charts.palette import Theme

__all__ = ["RunFigure"]


class RunFigure(go.FigureWidget):  # type: ignore[misc]
    """A figure that changes only its colours, with the page's.

    Parameters
    ----------
    series : Series
    theme : "light", "dark" or None
        None follows the page.
    """

    _esm = widget_code(str(go.FigureWidget._esm), "fill_width.js")  # noqa: SLF001

    def __init__(self, series: Series, theme: Theme | None) -> None:
        self._series = series
        watch = page.watch()
        super().__init__(drawn(series, theme or watch.theme))
        self._config = {"displaylogo": False}
        if theme is None:
            watch.observe(self._repaint, "theme")

    def _repaint(self, change: dict[str, Theme]) -> None:
        fresh = drawn(self._series, change["new"])
        with self.batch_update():
            for trace, new in zip(self.data, fresh.data, strict=False):
                trace.update(new.to_plotly_json())
            self.layout.update(fresh.layout.to_plotly_json())

    def __repr__(self) -> str:
        """Say what it is; always the same, as notebooks are compared with their saved output."""
        return "<figure of a run>"
