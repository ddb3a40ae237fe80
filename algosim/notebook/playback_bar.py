"""The controls of a recorded run that is played: go, stand, speed, and where in it."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from algosim.charts.numbers import clock
from algosim.notebook import knobs
from algosim.notebook.errands import Errands
from algosim.notebook.knobs import Input, Knob
from algosim.notebook.panels import button, buttons, live_html, panel
from algosim.notebook.present_panel import PresentPanel
from algosim.setting_words import unit, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosim.board.log_lines import LogLines
    from algosim.board.look import Look
    from algosim.runs.interventions import Intervention
    from algosim.runs.player import Player

__all__ = ["PlaybackBar"]

MOST_MARKS = 300
MOST_ROWS = 24


class PlaybackBar:
    """Play, pause, step, speed, and a slider over the whole run with its interventions below.

    Parameters
    ----------
    player : Player
    log : LogLines
        Is told what could not be done, and why.
    done : callable
        Called when something was done that a person asked for.

    Attributes
    ----------
    top : Box
    side : list of Box
    seek : FloatSlider
        The position [simulated s].
    jump : Select
        The interventions.
    """

    def __init__(self, player: Player, log: LogLines, done: Callable[[], None]) -> None:
        self._player = player
        self._errands = errands = Errands(log.failed, done)
        self.play = button("Play", "play", lambda: errands.ask(player.play), "go on", "go")
        self.pause = button("Pause", "pause", lambda: errands.ask(player.pause), "stand still")
        self.step = button("Step", "step-forward", self._ask_step, "pause, and show so many ticks more")
        self.steps = widgets.IntText(value=1, tooltip="ticks to a step")
        self.steps.add_class("algosim-steps")
        self.speed = knobs.speed(self._ask_speed)
        longest = max(player.duration, 1e-9)
        # With continuous_update a page sends back each position it is shown, as if a person had chosen it
        self.seek = widgets.FloatSlider(
            min=0.0, max=longest, step=longest / 1000, readout=False, continuous_update=False
        )
        self.seek.add_class("algosim-seek")
        self._place = Knob("position", [Input(self.seek, self._show, float)], self._ask_seek, None)
        self._at = live_html("algosim-at")
        rows = max(3, min(MOST_ROWS, len(player.timeline)))
        self.jump = widgets.Select(options=_options(player.timeline), value=None, rows=rows)
        self.jump.add_class("algosim-jump")
        self.jump.observe(self._ask_jump, names="value")
        step = widgets.HBox([self.step, self.steps, widgets.Label("ticks")])
        step.add_class("algosim-step")
        speed = knobs.row(
            self.speed, "speed", unit("schedule.speed", player.config), words()["schedule.speed"].says
        )
        top = widgets.HBox([buttons(self.play, self.pause, step), speed])
        top.add_class("algosim-transport")
        strip = live_html("algosim-strip")
        strip.value = _strip(player.timeline, player.duration)
        line = widgets.VBox([self.seek, strip])
        line.add_class("algosim-line")
        place = widgets.HBox([line, self._at])
        place.add_class("algosim-place")
        self.top = widgets.VBox([top, place])
        self.present = PresentPanel(player, log.failed, log.tell, done)
        self.side = [panel("What was done: choose where to go", [self.jump]), self.present.box]

    def _show(self, position: float) -> None:
        self.seek.value = position

    def _ask_step(self) -> None:
        n = self.steps.value
        self._errands.ask(lambda: self._player.step(n))

    def _ask_speed(self, knob: Knob, value: Any) -> None:  # noqa: ANN401  (checked by the player)
        def change() -> None:
            self._player.speed = value

        self._errands.ask(change, key=knob.key, done=knob.settled)

    def _ask_seek(self, knob: Knob, value: Any) -> None:  # noqa: ANN401  (a number)
        self._errands.ask(lambda: self._player.seek(time=value), key=knob.key, done=knob.settled)

    def _ask_jump(self, change: Any) -> None:  # noqa: ANN401  (traitlets says no more of it)
        tick = change["new"]
        if tick is not None:
            self._errands.ask(
                lambda: self._player.seek(tick=min(tick, self._player.last_tick)), key="position"
            )

    def start(self) -> None:
        """Play."""
        self._errands.ask(self._player.play)

    def begin(self, run_id: str) -> None:
        """Nothing depends on which part of the run is shown."""

    def close(self) -> None:
        """Do nothing any more."""
        self._errands.close()
        self.present.close()

    def follow(self, _look: Look) -> None:
        """Show where the run is played."""
        read_at, position = time.monotonic(), self._player.position
        state = self._player.state
        self._place.follow(position, read_at)
        self.speed.follow(self._player.speed, read_at)
        at = f"<b>{clock(position)}</b> of {clock(self._player.duration)}"
        if self._at.value != at:
            self._at.value = at
        self.play.disabled = state == "playing"
        self.pause.disabled = state != "playing"


def _options(timeline: list[Intervention]) -> list[tuple[str, int]]:
    return [(f"{clock(done.time)}  {done.text}", done.tick) for done in timeline]


def _strip(timeline: list[Intervention], duration: float) -> str:
    """Return a mark for every intervention at its share of the run's length."""
    marks = "".join(
        f'<i class="{escape(done.kind)}" style="left:{100 * min(done.time / duration, 1.0):.3f}%"'
        f' title="{escape(f"{clock(done.time)} {done.text}")}"></i>'
        for done in timeline[:MOST_MARKS]
        if duration > 0.0
    )
    return f'<div class="marks">{marks}</div>'
