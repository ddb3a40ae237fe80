"""How a market does that does not run: one that has not started, or has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from algosim.sandbox.standing import summary

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.live.own_engine import Outcome
    from algosim.runs.recording import Recording

__all__ = ["ended_status", "new_status"]

_NOTHING: dict[str, Any] = {
    "state": "new",
    "reason": "",
    "note": "",
    "tick": 0,
    "done": 0,
    "ts_sim": 0,
    "gaps": 0,
    "foreign": 0,
    "foreign_at": {},
    "rejected": 0,
    "recorder_restarts": 0,
    "strategies": {},
    "accounts": {},
}
_NOBODY: dict[str, Any] = {
    "ticks_per_s": 0.0,
    "waiting_for": [],
    "queues": {"not done": 0, "not written": 0},
    "processes": {},
    "endpoints": {},
}
"""What only a market has that runs."""


def new_status(config: Config) -> dict[str, Any]:
    """Return the status of a market that has not started."""
    at_start = {
        "speed": config.schedule.speed,
        "hwm": msgspec.to_builtins(config.transport.hwm),
        "sandbox": summary(config.limits.sandbox),
    }
    return {**_NOTHING, **_NOBODY, **at_start}


def ended_status(config: Config, outcome: Outcome, recording: Recording) -> dict[str, Any]:
    """Return the status of a market that has ended, with all that a running one's has.

    What its supervisor could not tell any more, or not to this process, is empty.
    """
    last, done = outcome.status or {}, len(recording)
    strategies = {name: _ended(strategy) for name, strategy in last.get("strategies", {}).items()}
    return {
        **new_status(config),
        **last,
        **_NOBODY,
        "state": outcome.state,
        "reason": outcome.reason,
        "tick": done,
        "done": done,
        "ts_sim": recording.t_end,
        "strategies": strategies,
    }


def _ended(strategy: dict[str, Any]) -> dict[str, Any]:
    stays = strategy["state"] in ("failed", "removed")
    return {**strategy, "state": strategy["state"] if stays else "ended"}
