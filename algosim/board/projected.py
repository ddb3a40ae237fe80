"""The few figures of a run that are projected large, as plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from algosim.board.last_action import last_action
from algosim.board.state_line import notice, state
from algosim.charts.numbers import clock

if TYPE_CHECKING:
    from algosim.board.look import Look

__all__ = ["projected"]


def projected(look: Look) -> dict[str, Any]:
    """Return what JSON can say of a look; None stands for a number that there is not.

    ``run state kind notice urgency over time clock ticks ticks_per_s price accounts equity pnl drawdown
    position fills pending action``; the action is a dict with ``time account side qty price tag``, or None.
    """
    status, recording, sums = look.status, look.recording, look.total
    word, told = state(status), notice(status, sum(map(abs, look.pending)))
    action = last_action(recording)
    seconds = recording.t_end * 1e-9
    return {
        "run": look.run_id,
        "state": word.text,
        "kind": word.kind,
        "notice": told.text,
        "urgency": told.kind,
        "over": look.phase == "over",
        "time": seconds,
        "clock": clock(seconds),
        "ticks": len(recording),
        "ticks_per_s": status.get("ticks_per_s", 0.0),
        "price": _finite(recording.last_price),
        "accounts": sums.accounts,
        "equity": _finite(sums.equity),
        "pnl": _finite(sums.pnl),
        "drawdown": look.drawdown,
        "position": sums.position,
        "fills": sums.fills,
        "pending": sum(look.pending),
        "action": None if action is None else action._asdict(),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
