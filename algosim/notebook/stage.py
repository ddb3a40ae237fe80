"""The place of the chart on a dashboard, and which of the two views stands there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Literal, Protocol

import ipywidgets as widgets

from algosim.charts.quick_import import half_imported, without_grammar
from algosim.errors import AlgosimError
from algosim.notebook.fast_view import FastView

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.charts.feed import Feed
    from algosim.charts.palette import Theme

__all__ = ["Stage"]

Kind = Literal["plotly", "fast view"]

WINDOWS = (500, 2_000, 10_000)

DEAF_S, TRIES = 6.0, 3
"""A view that no page has answered for so long is made anew, so often, waiting twice as long each time.

A page gives the code of an anywidget two seconds to load. Where it is busy for longer, as with a dashboard
that has just come and plotly's five megabytes, the widget stays there and never takes an update.
"""


class View(Protocol):
    """A widget that draws a feed."""

    window: int
    late: bool

    @property
    def answered(self) -> bool:
        """Whether a page has ever said that it shows this."""

    def draw(self, feed: Feed) -> bool:
        """Draw what is new."""

    def close(self) -> None:
        """End."""


class Stage:
    """Shows one view at a time; each is made when it is first asked for.

    Parameters
    ----------
    fast : bool
        Begin with the fast view.
    fps : float
        Pictures per second, at most.
    theme : "light", "dark" or None
        None follows the page.
    failed : callable
        Takes the error of a view that cannot be made.
    changed : callable
        Called when there is something to draw though the market stands still.

    Attributes
    ----------
    box : Box
    controls : Box
        The choice of view and of how many ticks it shows.
    """

    def __init__(
        self,
        *,
        fast: bool,
        fps: float,
        theme: Theme | None,
        failed: Callable[[Exception], None],
        changed: Callable[[], None],
    ) -> None:
        self._fps, self._theme = fps, theme
        self._failed = failed
        self._changed = changed
        self._views: dict[str, View] = {}
        self._unanswered: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()  # people choose in the kernel's thread, drawing has its own
        self.kind = widgets.ToggleButtons(
            options=["plotly", "fast view"], value="fast view" if fast else "plotly"
        )
        self.kind.add_class("algosim-kind")
        self.window = widgets.Dropdown(options=[(f"{n:,} ticks", n) for n in WINDOWS], value=WINDOWS[1])
        self.window.add_class("algosim-window")
        self.controls = widgets.HBox([self.kind, self.window])
        self.controls.add_class("algosim-views")
        self.box = widgets.VBox()
        self.box.add_class("algosim-stage")
        self._closed = False
        self.kind.observe(lambda _: self._choose(), names="value")
        self.window.observe(lambda _: self._choose(), names="value")

    def _choose(self) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        try:
            self._put()
        except AlgosimError as error:  # the fast view was not built
            self._failed(error)
            self.kind.value = "plotly"
        except AttributeError as error:
            if not half_imported(error):
                raise  # otherwise the next picture tries again

    def _put(self) -> None:
        with self._lock:
            kind = self.kind.value
            if self._closed:
                return
            view = self._views.get(kind) or self._make(kind)
            view.window = self.window.value
            self._views[kind] = view
            if self.box.children != (view,):
                self.box.children = (view,)

    def _make(self, kind: Kind) -> View:
        if kind == "fast view":
            return FastView(self.window.value, theme=self._theme)
        with without_grammar():
            from algosim.notebook.live_figure import LiveFigure  # noqa: PLC0415  (the fast view does without)
        return LiveFigure(self.window.value, fps=self._fps, theme=self._theme)

    def draw(self, feed: Feed) -> None:
        """Draw on the view that is shown."""
        kind = self.kind.value
        if kind not in self._views:  # the first one is made here: plotly's import would keep the cell busy
            self._show()
        view = self._views.get(kind)
        if view is None:
            return
        view.draw(feed)
        if feed.ticks and not view.answered:  # also where nothing is new, as in a market that is paused
            self._doubt(kind, view)

    @property
    def waits(self) -> bool:
        """Whether the view that is shown may still have to be drawn, or made, anew."""
        kind = self.kind.value
        view = self._views.get(kind)
        tries, _ = self._unanswered.get(kind, (0, 0.0))
        return view is None or view.late or (not view.answered and tries < TRIES)

    def _doubt(self, kind: str, view: View) -> None:
        """Make a view anew that the page cannot have taken."""
        now = time.monotonic()
        with self._lock:
            tries, since = self._unanswered.setdefault(kind, (0, now))
            if tries == TRIES or now - since < DEAF_S * 2**tries or self._views.get(kind) is not view:
                return
            self._unanswered[kind] = tries + 1, now
            del self._views[kind]
        self._show()
        view.close()

    def close(self) -> None:
        """End all views."""
        with self._lock:
            self._closed = True
            views, self._views = list(self._views.values()), {}
            self.box.children = ()
        for view in views:
            view.close()
