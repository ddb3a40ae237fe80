"""The figure of a whole run as a widget, in the page's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.serializers import custom_serializers

from algosim.charts.whole_run import drawn
from algosim.notebook import theme as page
from algosim.notebook.widget_code import widget_code

if TYPE_CHECKING:
    from algosim.charts.feed import Series
    from algosim.charts.palette import Theme

__all__ = ["RunFigure"]

_plain = custom_serializers["to_json"]


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
        self._first: go.Figure | None = drawn(series, theme or watch.theme)
        super().__init__(self._first)
        self._first = None
        self._config = {"displaylogo": False}
        if theme is None:
            watch.observe(self._repaint, "theme")

    def _repaint(self, change: dict[str, Theme]) -> None:
        fresh = drawn(self._series, change["new"])
        with self.batch_update():
            for trace, new in zip(self.data, fresh.data, strict=False):
                trace.update(new.to_plotly_json())
            self.layout.update(fresh.layout.to_plotly_json())

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: ANN401, FBT001, FBT002
        """Return the state for a page, with the picture also as the widget opens.

        A page that is too busy to load the code in time takes no later message.
        """
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if self._first is not None and "_widget_data" in state:
            traces = [trace.to_plotly_json() for trace in self._first.data]
            state["_widget_data"] = _plain(traces, self)
            state["_widget_layout"] = _plain(self._first.layout.to_plotly_json(), self)
        return state

    def __repr__(self) -> str:
        """Say what it is; always the same, as notebooks are compared with their saved output."""
        return "<figure of a run>"
