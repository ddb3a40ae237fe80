"""What was traded last: the one line that a lecture hall wants to see of it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from algosim.charts.numbers import clock, quantity

if TYPE_CHECKING:
    from algosim.runs.recording import Recording

__all__ = ["Action", "action_html", "last_action"]


class Action(NamedTuple):
    """A fill: simulated time [s], account, ``BUY`` or ``SELL``, quantity, price, tag."""

    time: float
    account: str
    side: str
    qty: float
    price: float
    tag: str


def last_action(recording: Recording) -> Action | None:
    """Return the newest fill, if there is one."""
    with recording.lock:
        fill = recording.fills[-1] if recording.fills else None
    if fill is None:
        return None
    return Action(fill.ts_sim * 1e-9, fill.id, fill.side, fill.qty, fill.price, fill.tag)


def action_html(action: Action | None) -> str:
    """Return it as a line."""
    if action is None:
        return '<div class="action dim">no trade yet</div>'
    kind = "buy" if action.side == "BUY" else "sell"
    tag = f'<span class="tag">{escape(action.tag)}</span>' if action.tag else ""
    return (
        f'<div class="action"><span class="at">{clock(action.time)}</span>'
        f'<span>{escape(action.account)}</span><b class="{kind}">{action.side} {quantity(action.qty)}</b>'
        f"<span>at {action.price:,.4f}</span>{tag}</div>"
    )
