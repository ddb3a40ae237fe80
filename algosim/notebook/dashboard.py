"""The dashboard: puts controls, chart, figures and tables together, and lets a pump drive them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.live.simulation import Simulation
from algosim.notebook import cell_dashboards
from algosim.notebook.figures import Figures
from algosim.notebook.log_panel import LogPanel
from algosim.notebook.look import Look
from algosim.notebook.market_controls import MarketControls
from algosim.notebook.panels import live_html
from algosim.notebook.playback_bar import PlaybackBar
from algosim.notebook.pump import Pump
from algosim.notebook.readings import Readings
from algosim.notebook.sheets import Sheets
from algosim.notebook.stage import Stage
from algosim.notebook.standing import StandingLine
from algosim.notebook.style import sheet

if TYPE_CHECKING:
    from algosim.charts.palette import Theme
    from algosim.notebook.pump import Frame
    from algosim.runs.player import Player

__all__ = ["Dashboard", "dashboard"]

LOOK_S = 0.4
"""Figures, tables and knobs follow this often; only the chart moves with every frame."""

MOVED = "stopped: this market is on the dashboard that was opened last; run this cell again to have it here"


class Dashboard:
    """A market or a recorded run, shown live in a cell's output.

    It lives until `close`, or until another dashboard of the same market is opened.

    Parameters
    ----------
    source : Simulation or Player
    fast : bool
        Begin with the fast view.
    theme : "light", "dark" or None
        None follows the notebook's.

    Attributes
    ----------
    root : Box
        All of it, as a widget.
    controls : MarketControls or PlaybackBar
    stage : Stage
    log : LogPanel
    """

    def __init__(self, source: Simulation | Player, *, fast: bool, theme: Theme | None) -> None:
        self.source = source
        self.log = LogPanel()
        self.controls = (
            MarketControls(source, self.log, self._wake)
            if isinstance(source, Simulation)
            else PlaybackBar(source, self.log, self._wake)
        )
        fps = source.config.ui.throttle_fps
        self.stage = Stage(fast=fast, fps=fps, theme=theme, failed=self.log.failed)
        words = ("Start", "Resume") if isinstance(source, Simulation) else ("Play", "Play")
        self._standing, self._readings = StandingLine(*words), Readings()
        self._sheets = Sheets(self.log)
        self._run_id: str | None = None
        self._feed: object = None
        self._phase = ""
        self._looked_at = float("-inf")
        self._closing = False
        self.root = self._compose()
        if theme is not None:
            self.root.add_class(f"algosim-{theme}")
        self._figures = Figures(source, self._readings.take, self.log.failed)
        self._pump = Pump(source, self._refresh, owner=self.root)
        self._pump.start()

    def _compose(self) -> widgets.Box:
        style = live_html("algosim-style")
        style.value = sheet()
        main = widgets.VBox([self.stage.controls, self.stage.box])
        main.add_class("algosim-main")
        side = widgets.VBox(self.controls.side)
        side.add_class("algosim-side")
        body = widgets.Box([main, side, self._sheets.box])
        body.add_class("algosim-body")
        parts = [
            style,
            self._standing.box,
            self._standing.notice,
            self.controls.top,
            self._readings.box,
            body,
        ]
        root = widgets.VBox(parts)
        root.add_class("algosim-dash")
        return root

    def start(self) -> None:
        """Let the market start, or the playback begin, unless it has; returns at once."""
        self.controls.start()

    def close(self) -> None:
        """End the dashboard and its threads; the market goes on."""
        self._closing = True
        self._pump.stop()
        self._end()
        self.stage.close()
        _close(self.root)

    def _wake(self) -> None:
        """Show at once what became of something that was asked for."""
        self._looked_at = float("-inf")
        self._pump.wake()

    # Driven by the pump, on its thread

    def _refresh(self, frame: Frame) -> None:
        if frame.phase == "stopped":
            if not self._closing:
                self._leave(frame.error)
            return
        now = time.monotonic()
        turned = frame.feed is not self._feed or frame.phase != self._phase
        if turned or now - self._looked_at >= LOOK_S:
            self._looked_at, self._feed, self._phase = now, frame.feed, frame.phase
            self._look(frame)
        self.stage.draw(frame.feed)

    def _look(self, frame: Frame) -> None:
        read_at = time.monotonic()
        source = self.source
        look = Look(source.run_id, source.folder, source.recording, frame.status, source.config, read_at)
        if look.run_id != self._run_id:
            self._begin(look)
        over = frame.phase == "over"
        if over:
            self.root.add_class("algosim-ended")
        else:
            self.root.remove_class("algosim-ended")
        last = frame.feed.series(window=1).drawdown
        books = (*look.status["strategies"].values(), *look.status["accounts"].values())
        pending = [] if over else [each.get("pending", 0.0) for each in books]
        self._readings.follow(look.recording, float(last[-1]) if len(last) else 0.0, sum(pending))
        self._figures.want(look.run_id, len(look.recording), over=over)
        in_flight = sum(map(abs, pending))
        self._standing.follow(frame, look.recording, look.run_id, look.config.run.seed, in_flight)
        self.controls.follow(look)
        self._sheets.follow(look, self._readings.books)
        self.log.follow(look.recording, frame.status)

    def _begin(self, look: Look) -> None:
        """Show another run from now on."""
        self._run_id = look.run_id
        self._readings.begin(look.run_id, look.config.portfolio.initial_cash)
        self.controls.begin(look.run_id)
        self.log.begin(look.run_id)

    def _leave(self, error: str) -> None:
        """Stand still for good, and say why."""
        self.root.add_class("algosim-ended")
        self._standing.stop(f"stopped: the dashboard failed: {error}" if error else MOVED)
        self._end()
        if not error:  # an error is worth a look at what was shown last
            self.stage.close()
            kept = self.root.children[:3]
            rest, self.root.children = self.root.children[3:], kept
            for part in rest:
                _close(part)

    def _end(self) -> None:
        self.controls.close()
        self._figures.close()

    def __repr__(self) -> str:
        """Return one line that is always the same."""
        return f"<Dashboard of {repr(self.source).strip('<>')}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401  (IPython's)
        bundle: dict[str, Any] = self.root._repr_mimebundle_()
        return {**bundle, "text/plain": repr(self)}


def _close(widget: widgets.Widget) -> None:
    """Close a widget and all inside of it."""
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()


def dashboard(
    source: Simulation | Player, *, start: bool = True, fast: bool = False, theme: Theme | None = None
) -> Dashboard:
    """Show a market live, with all its controls; returns at once.

    Parameters
    ----------
    source : Simulation or Player
        A market of this process, one that `algosim.connect` found, or a recorded run from `algosim.play`.
    start : bool, optional
        Start the market if it has not started; False waits for the button.
    fast : bool, optional
        Begin with the fast view in place of the plotly figure.
    theme : "light" or "dark", optional
        Without it, that of the notebook.
    """
    made = Dashboard(source, fast=fast, theme=theme)
    cell_dashboards.shown(made)
    if start:
        made.start()
    return made
