"""The live plotly figure of a market, drawn at the pace at which the browser can."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.serializers import custom_serializers

from algosim.charts.feed import Feed
from algosim.charts.figures import layout, traces
from algosim.charts.flags import marks
from algosim.charts.palette import palette
from algosim.charts.quick_import import half_imported
from algosim.notebook.pace import Pace
from algosim.notebook.theme import watch
from algosim.notebook.widget_code import widget_code

if TYPE_CHECKING:
    from algosim.charts.palette import Palette, Theme

__all__ = ["LiveFigure"]

HEIGHT = 620

MOST = 900
"""Points per line, about: as many as a chart has pixels across."""

_EMPTY = Feed(0.0).series()
_plain = custom_serializers["to_json"]


class LiveFigure(go.FigureWidget):  # type: ignore[misc]
    """A plotly figure that follows a Feed, in the page's theme.

    Only what has changed is sent, and only once the browser has drawn the picture before and has had as much
    time for other things. Where it does not answer, as while a cell runs, a picture goes out twice a second.

    Parameters
    ----------
    window : int, optional
        Ticks that are shown; may be set at any time.
    fps : float, optional
        Pictures per second, at most.
    theme : "light" or "dark", optional
        Whatever the page's is.

    Attributes
    ----------
    late : bool
        Whether the page was too busy for what was to be drawn last.
    """

    _esm = widget_code(str(go.FigureWidget._esm), "fill_width.js", "live_figure.js")  # noqa: SLF001
    window: int = 2_000
    late: bool = False
    _open = False

    def __init__(self, window: int = 2_000, *, fps: float = 10.0, theme: Theme | None = None) -> None:
        self._pace = Pace(fps)
        self._turn = threading.RLock()  # pictures have a thread of their own; the page speaks to the kernel's
        self._watch, self._own_theme = watch(), theme
        self._feed: Feed | None = None
        self._shown: tuple[object, ...] = ()
        colours = self._colours()
        self._traces, self._look = traces(_EMPTY, colours, MOST), layout(colours, height=HEIGHT)
        super().__init__(data=self._traces, layout=self._look)
        self._config = {
            "displaylogo": False,
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        }
        self.window = window
        self._watch.observe(self._repaint, "theme")
        self._open = True

    def draw(self, feed: Feed) -> bool:
        """Send the newest state of a feed if there is news and the page is ready; say whether it was sent."""
        with self._turn:
            now = time.monotonic()
            state = feed, feed.place(), self.window, self._focus()
            self.late = self._open and state != self._shown
            if not self.late or not self._pace.ready(now):
                return False
            try:
                self._paint(feed, now)
            except AttributeError as error:
                if not half_imported(error):
                    raise
                return False  # the next one comes when the import is over
            self._feed, self._shown, self.late = feed, state, False
            return True

    @property
    def answered(self) -> bool:
        """Whether a page has ever said that it has drawn a picture."""
        return self._pace.cost is not None

    def close(self) -> None:
        """Take the figure away, wherever it is shown."""
        with self._turn:
            if self._open:  # ipywidgets closes it again when it is thrown away
                self._watch.unobserve(self._repaint, "theme")
            self._open = False
            super().close()

    def _focus(self) -> tuple[float, float] | None:
        """Return the simulated times between which somebody has zoomed; None if nobody has."""
        axis = self.layout.xaxis
        return None if axis.autorange or axis.range is None else tuple(axis.range)

    def _colours(self) -> Palette:
        return palette(self._own_theme or self._watch.theme)

    def _repaint(self, _change: object = None) -> None:
        """Show what is shown in the page's new colours, at once: there may be no other picture to come."""
        with self._turn:
            self._paint(self._feed or Feed(0.0), time.monotonic())

    def _paint(self, feed: Feed, now: float) -> None:
        """Send what differs from the last picture, in one message."""
        colours, series = self._colours(), feed.series(window=self.window)
        drawn = traces(series, colours, MOST, self._focus())
        look = layout(colours, drawn, height=HEIGHT)
        look["shapes"], look["annotations"] = marks(series, colours)
        self._pace.sent(self._last_trace_edit_id + 1, now)
        with self.batch_update():
            for trace, old, new in zip(self.data, self._traces, drawn, strict=True):
                for key, value in new.items():
                    if not _same(old.get(key), value):
                        trace[key] = value
            for key, value in look.items():
                if not _same(self._look.get(key), value):
                    self.layout[key] = value
        self._traces, self._look = drawn, look

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page says; that it has drawn a picture sets the pace, and needs no more."""
        sync_data.pop("_js2py_pointsCallback", None)  # at every move of the mouse, and nobody listens
        drawn = sync_data.pop("_js2py_traceDeltas", None)
        if drawn:
            self._pace.acknowledged(drawn["trace_edit_id"], time.monotonic(), drawn.get("cost"))
        if sync_data:
            with self._turn:
                super().set_state(sync_data)
                if self._feed is not None:  # for a zoom into a market at rest, no other picture may come
                    self.draw(self._feed)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: ANN401, FBT001, FBT002
        """Return the state for a page that has none: with the picture as it is now, not as at first."""
        with self._turn:
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            if "_widget_data" in state:  # plotly's own is empty as the widget opens
                state["_widget_data"] = _plain(self._data if self._open else self._traces, self)
            if "_widget_layout" in state:
                state["_widget_layout"] = _plain(self._layout if self._open else self._look, self)
        return state

    def __repr__(self) -> str:
        """Say what it is; always the same, as notebooks are compared with their saved output."""
        return "LiveFigure()"


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return type(one) is type(other) and one == other
