"""The line on how a run does: its state, clock and pace; and the one thing that is worth a notice."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.charts.numbers import NOTHING, clock, count, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.runs.recording import Recording

__all__ = ["Said", "facts", "notice", "notice_html", "state", "state_html"]

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


class Said(NamedTuple):
    """Words, and what they mean: ``live``, ``wait``, ``over``, ``idle``, ``bad``, ``dim``."""

    text: str
    kind: str


def state(status: Mapping[str, Any]) -> Said:
    """Return the word for how a run does."""
    word = str(status["state"])
    if word == "paused" and not status.get("tick"):
        return Said("ready", "wait")
    return Said(*_STATES.get(word, (word, "wait")))


def facts(recording: Recording, status: Mapping[str, Any], run_id: str, seed: object) -> dict[str, str]:
    """Return what the line tells besides the state, by name."""
    return {
        "simulated time": clock(recording.t_end * 1e-9),
        "ticks": count(len(recording)),
        "ticks/s": f"{status.get('ticks_per_s', 0.0):,.0f}",
        "price": f"{recording.last_price:,.4f}" if len(recording) else NOTHING,
        "seed": "fresh" if seed is None else str(seed),
        "run": run_id or NOTHING,
    }


def state_html(said: Said, told: Mapping[str, str]) -> str:
    """Return the line."""
    shown = "".join(
        f'<span class="fact" title="{escape(value)}"><b>{escape(value)}</b>{escape(name)}</span>'
        for name, value in told.items()
    )
    return f'<div class="standing"><span class="pill {said.kind}">{escape(said.text)}</span>{shown}</div>'


def notice_html(said: Said, beat: int | None = None) -> str:
    """Return a notice; drawn anew with another `beat`, it begins again to wait for words of a dead kernel."""
    pulse = "" if beat is None else f'<span class="beat" data-n="{beat}"></span>'
    return f'<div class="notice"><span class="{said.kind}">{escape(said.text)}</span>{pulse}</div>'


def notice(status: Mapping[str, Any], pending: float, go: str = "Start", go_on: str = "Resume") -> Said:
    """Return what is worth a line, the most urgent first.

    Parameters
    ----------
    status : mapping
        Of the source.
    pending : float
        Units in flight, whichever way they go.
    go, go_on : str
        What the buttons are called that start it and let it go on.
    """
    state, waiting = status["state"], ", ".join(status.get("waiting_for", ()))
    if state == "crashed":
        return Said(f"stopped: the run crashed: {status.get('reason', '')}", "bad")
    if state == "finished":
        why = f" ({status['reason']})" if status.get("reason") else ""
        return Said(f"stopped: the run has ended{why}", "over")
    if state == "new":
        return Said(f"the market has not started; press {go}", "dim")
    if state in ("starting", "waiting"):
        return Said(f"waiting for {waiting or 'the processes'}", "wait")
    if state == "paused":
        return _paused(status, pending, go, go_on)
    if waiting and not status.get("ticks_per_s") and state == "running":
        return Said(f"waiting for {waiting}", "wait")
    counted = [
        f"{word} {count(status[word])}" for word in ("gaps", "foreign", "rejected") if status.get(word)
    ]
    return Said(" \N{MIDDLE DOT} ".join(counted), "wait")


def _paused(status: Mapping[str, Any], pending: float, go: str, go_on: str) -> Said:
    if pending:
        units = "unit" if pending == 1.0 else "units"
        return Said(f"{quantity(pending)} {units} pending: fills at the next tick; market paused", "wait")
    if not status.get("tick"):
        return Said(f"ready: press {go}", "dim")
    return Said(f"paused: {go_on} or Step goes on", "dim")
