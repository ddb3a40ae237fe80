"""What people can ask of a market as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.charts.numbers import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config

__all__ = ["Allowed", "allowed", "order_hint"]


class Allowed(NamedTuple):
    """Which of a market's controls make sense; `change` is for strategies: add, remove, other parameters."""

    start: bool
    pause: bool
    resume: bool
    step: bool
    reset: bool
    stop: bool
    order: bool
    change: bool
    reload: bool


def allowed(status: Mapping[str, Any]) -> Allowed:
    """Return what a market's status allows."""
    state, begun = status["state"], bool(status.get("tick"))
    paused = state == "paused"
    ended = state in ("finished", "crashed", "ending")
    return Allowed(
        start=state in ("new", "starting", "waiting") or (paused and not begun),
        pause=state == "running",
        resume=paused and begun,
        step=paused,
        reset=state != "new",
        stop=not ended and state != "new",
        order=state in ("running", "paused"),
        change=not ended,
        reload=not ended and state != "new",
    )


def order_hint(status: Mapping[str, Any], config: Config) -> str:
    """Return when an order by hand would fill."""
    if status["state"] == "paused":
        return "fills at the next tick; market paused"
    if status["state"] == "running":
        return f"fills after {quantity(config.execution.latency_ms)} sim ms"
    return "once the market is ready"
