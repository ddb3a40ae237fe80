"""The dashboard: puts controls, chart, figures and tables together, and lets a pump drive them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.board.board import Board
from algosim.board.pump import Pump
from algosim.board.state_line import Said, notice_html, state_html
from algosim.live.simulation import Simulation
from algosim.notebook import cell_dashboards
from algosim.notebook.market_controls import MarketControls
from algosim.notebook.panels import live_html, put
from algosim.notebook.playback_bar import PlaybackBar
from algosim.notebook.sheets import Sheets
from algosim.notebook.stage import Stage
from algosim.notebook.style import sheet

if TYPE_CHECKING:
    from algosim.board.log_lines import LogLines
    from algosim.board.look import Look
    from algosim.board.pump import Frame
    from algosim.charts.palette import Theme
    from algosim.runs.player import Player

__all__ = ["Dashboard", "dashboard"]

TRADES = 28
"""Rows of their table; where it is narrow, the style sheet shows fewer."""

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
    log : LogLines
    """

    def __init__(self, source: Simulation | Player, *, fast: bool, theme: Theme | None) -> None:
        self.source = source
        words = ("Start", "Resume") if isinstance(source, Simulation) else ("Play", "Play")
        self._board = Board(source, *words, trades=TRADES)
        self.log: LogLines = self._board.log
        self.controls = (
            MarketControls(source, self.log, self._wake)
            if isinstance(source, Simulation)
            else PlaybackBar(source, self.log, self._wake)
        )
        fps = source.config.ui.throttle_fps
        self.stage = Stage(fast=fast, fps=fps, theme=theme, failed=self.log.failed, changed=self._wake)
        self._places = {name: live_html(f"algosim-{name}") for name in ("standing", "notice", "cards")}
        self._sheets = Sheets(self._wake)
        self._run_id: str | None = None
        self._closing = False
        self.root = self._compose()
        if theme is not None:
            self.root.add_class(f"algosim-{theme}")
        self._pump = Pump(source, self._refresh, closed=lambda: self.root.comm is None)
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
            self._places["standing"],
            self._places["notice"],
            self.controls.top,
            self._places["cards"],
            body,
        ]
        root = widgets.VBox(parts)
        root.add_class("algosim-board")
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
        self._board.wake()
        self._pump.wake()

    # Driven by the pump, on its thread

    def _refresh(self, frame: Frame) -> None:
        if frame.phase == "stopped":
            if not self._closing:
                self._leave(frame.error)
            return
        look = self._board.look(frame)
        if look is not None:
            self._show(look)
        self.stage.draw(frame.feed)
        if self.stage.waits and frame.phase == "over":
            self._pump.linger()  # otherwise there are no more frames

    def _show(self, look: Look) -> None:
        if look.run_id != self._run_id:
            self._run_id = look.run_id
            self.controls.begin(look.run_id)
        if look.phase == "over":
            self.root.add_class("algosim-ended")
        else:
            self.root.remove_class("algosim-ended")
        pieces = self._board.pieces(look)
        for name, place in self._places.items():
            put(place, pieces[name])
        self._sheets.follow(pieces)
        self.controls.follow(look)

    def _leave(self, error: str) -> None:
        """Stand still for good, and say why."""
        self.root.add_class("algosim-ended")
        put(self._places["standing"], state_html(Said("stopped", "bad"), {}))
        why = f"stopped: the dashboard failed: {error}" if error else MOVED
        put(self._places["notice"], notice_html(Said(why, "bad")))
        self._end()
        if not error:  # an error is worth a look at what was shown last
            self.stage.close()
            kept = self.root.children[:3]
            rest, self.root.children = self.root.children[3:], kept
            for part in rest:
                _close(part)

    def _end(self) -> None:
        self.controls.close()
        self._board.close()

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
