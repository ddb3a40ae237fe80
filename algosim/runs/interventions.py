"""What people did in a run and what became of its strategies, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from algosim.events import Attach, Control, Detach, Order, Remove, Version

if TYPE_CHECKING:
    from algosim.events import Member
    from algosim.runs.recording import Recording

__all__ = ["Intervention", "interventions", "member_words"]


class Intervention(NamedTuple):
    """Something that took effect before a tick; `time` is that tick's, in simulated seconds.

    `kind` is ``"set"``, ``"pace"`` (pauses, steps, speed), ``"order"`` (by hand), ``"add"``, ``"reload"``,
    ``"fail"`` or ``"remove"``.
    """

    tick: int
    time: float
    kind: str
    text: str


def interventions(recording: Recording) -> list[Intervention]:
    """Return all interventions of a run, in order; the strategies that it began with are none."""
    events = [
        *recording.controls,
        *recording.members,
        *(order for order in recording.orders if order.origin != "strategy"),
    ]
    time, t_end = recording.time, recording.t_end
    found = []
    for event in sorted(events, key=lambda event: event.seq):
        if words := _words(event):
            at = int(time[event.seq - 1]) if event.seq <= len(time) else t_end
            found.append(Intervention(event.seq, at * 1e-9, *words))
    return found


def member_words(event: Member) -> tuple[str, str] | None:
    """Return the kind of a strategy's change and a word for it; None for the start of the run."""
    if isinstance(event, Version):
        return "reload", f"{event.id}: version {event.version}"
    if isinstance(event, Attach):
        return ("add", f"{event.id} joins") if event.seq > 1 else None
    if isinstance(event, Detach):
        return "fail", f"{event.id} stopped: {event.reason}"
    assert isinstance(event, Remove)
    return "remove", f"{event.id} leaves"


def _words(event: Control | Order | Member) -> tuple[str, str] | None:
    if isinstance(event, Control):
        return _control_words(event)
    if isinstance(event, Order):
        return "order", f"{event.id}: {event.side} {event.qty:g}"
    return member_words(event)


def _control_words(event: Control) -> tuple[str, str]:
    if event.action in ("set", "speed"):
        return "set" if event.action == "set" else "pace", f"{event.key} = {event.value}"
    action = event.action.replace("_", " ")
    if event.key == "ticks":
        return (
            "pace",
            f"{action} to tick {event.value}" if action == "step" else f"{action} tick {event.value}",
        )
    if event.key == "time" and isinstance(event.value, int):
        return "pace", f"{action} {event.value * 1e-9:g} s"
    return "pace", action
