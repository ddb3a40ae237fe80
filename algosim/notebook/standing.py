"""The line on how a market does: its state, its clock, its pace, and what is unusual."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

from algosim.charts.numbers import clock, count, quantity
from algosim.notebook.panels import live_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipywidgets import HTML

    from algosim.notebook.pump import Frame
    from algosim.runs.recording import Recording

__all__ = ["StandingLine"]

_STATES = {
    "new": ("not started", "idle"),
    "starting": ("starting", "wait"),
    "waiting": ("starting", "wait"),
    "running": ("running", "live"),
    "playing": ("playing", "live"),
    "paused": ("paused", "wait"),
    "ending": ("stopping", "wait"),
    "finished": ("stopped", "over"),
    "crashed": ("crashed", "bad"),
}


class StandingLine:
    """State, clock and pace of a market, and below them one line for what is unusual.

    Parameters
    ----------
    go, go_on : str
        What the buttons are called that start it and let it go on.

    Attributes
    ----------
    box, notice : HTML
    """

    def __init__(self, go: str, go_on: str) -> None:
        self._go, self._go_on = go, go_on
        self.box = live_html("algosim-standing")
        self.notice = live_html("algosim-notice")

    def follow(self, frame: Frame, recording: Recording, run_id: str, seed: object, pending: float) -> None:
        """Show how it does."""
        status = frame.status
        state, kind = _STATES.get(str(status["state"]), (str(status["state"]), "wait"))
        if status["state"] == "paused" and not len(recording):
            state = "ready"
        facts = {
            "simulated time": clock(recording.t_end * 1e-9),
            "ticks": count(len(recording)),
            "ticks/s": f"{status.get('ticks_per_s', 0.0):,.0f}",
            "price": f"{recording.last_price:,.4f}" if len(recording) else "\N{EN DASH}",
            "seed": "fresh" if seed is None else str(seed),
            "run": run_id or "\N{EN DASH}",
        }
        shown = "".join(
            f'<span class="fact" title="{escape(value)}"><b>{escape(value)}</b>{name}</span>'
            for name, value in facts.items()
        )
        _put(self.box, f'<span class="pill {kind}">{escape(state)}</span>{shown}')
        text, kind = self._notice(status, pending)
        # Drawn anew every second, it starts the wait for the words that the kernel is not heard of.
        beat = f'<span class="beat" data-n="{time.monotonic():.0f}"></span>' if frame.phase == "live" else ""
        _put(self.notice, f'<span class="{kind}">{escape(text)}</span>{beat}')

    def stop(self, why: str) -> None:
        """Say that nothing here moves any longer."""
        _put(self.box, '<span class="pill bad">stopped</span>')
        _put(self.notice, f'<span class="bad">{escape(why)}</span>')

    def _notice(self, status: Mapping[str, Any], pending: float) -> tuple[str, str]:
        """Return what is worth a line, the most urgent first, and how urgent it is."""
        state, waiting = status["state"], ", ".join(status.get("waiting_for", ()))
        if state == "crashed":
            return f"stopped: the run crashed: {status.get('reason', '')}", "bad"
        if state == "finished":
            why = f" ({status['reason']})" if status.get("reason") else ""
            return f"stopped: the run has ended{why}", "over"
        if state == "new":
            return f"the market has not started; press {self._go}", "dim"
        if state in ("starting", "waiting"):
            return f"waiting for {waiting or 'the processes'}", "wait"
        if state == "paused":
            return self._paused(status, pending)
        if waiting and not status.get("ticks_per_s") and state == "running":
            return f"waiting for {waiting}", "wait"
        parts = [
            f"{word} {count(status[word])}" for word in ("gaps", "foreign", "rejected") if status.get(word)
        ]
        return " \N{MIDDLE DOT} ".join(parts), "wait"

    def _paused(self, status: Mapping[str, Any], pending: float) -> tuple[str, str]:
        if pending:
            units = "unit" if pending == 1.0 else "units"
            return f"{quantity(pending)} {units} pending: fills at the next tick; market paused", "wait"
        if not status.get("tick"):
            return f"ready: press {self._go}", "dim"
        return f"paused: {self._go_on} or Step goes on", "dim"


def _put(place: HTML, html: str) -> None:
    if place.value != html:
        place.value = html
